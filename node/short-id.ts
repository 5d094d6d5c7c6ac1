/** `12D3…x7Qp2a`: enough of a PeerId or CID to tell it from the others in view. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id)
