/** What a multiaddr leads through, which says who can dial it. */

export type AddressKind = 'tcp' | 'ws' | 'wss' | 'webrtc-direct' | 'relayed' | 'webrtc' | 'other'

/** `webrtc` is a connection that is agreed on over a relay; `relayed` one whose bytes go through it. */
export const addressKind = (address: string): AddressKind => {
  const names = new Set(address.split('/'))
  if (names.has('webrtc')) return 'webrtc'
  if (names.has('p2p-circuit')) return 'relayed'
  if (names.has('webrtc-direct')) return 'webrtc-direct'
  if (names.has('wss') || (names.has('ws') && names.has('tls'))) return 'wss'
  if (names.has('ws')) return 'ws'
  return names.has('tcp') ? 'tcp' : 'other'
}

/** `/ip4/192.0.2.1/tcp/4002/tls/ws` as `https://192.0.2.1:4002`; undefined if it is no WebSocket. */
export const originOfAddress = (address: string): string | undefined => {
  const kind = addressKind(address)
  if (kind !== 'ws' && kind !== 'wss') return undefined
  const [, , host = '', , port = ''] = address.split('/')
  return `${kind === 'wss' ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Over whom an address leads: who carries, and where that one is; undefined if nobody is between. */
export const relayOf = (address: string): { peer: string; address: string } | undefined => {
  const [via, beyond] = address.split('/p2p-circuit')
  const peer = beyond === undefined ? undefined : /\/p2p\/([^/]+)$/.exec(via as string)?.[1]
  return peer === undefined ? undefined : { peer, address: via as string }
}
