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

/** Over whom an address leads: who carries, and where that one is; undefined if nobody is between. */
export const relayOf = (address: string): { peer: string; address: string } | undefined => {
  const [via, beyond] = address.split('/p2p-circuit')
  const peer = beyond === undefined ? undefined : /\/p2p\/([^/]+)$/.exec(via as string)?.[1]
  return peer === undefined ? undefined : { peer, address: via as string }
}
