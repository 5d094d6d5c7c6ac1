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
