/** What a tag asks for, as its attributes and the frame's fragment carry it. Whoever reads it checks it. */

export interface LendRequest {
  /** Text of a ticket. */
  mesh: string
  /** PeerIds whose work is to be run, at least one. */
  accept: readonly string[]
  /** The site's own words, '' for none. */
  reason: string
}

/** More would not fit on the badge, which names them. */
const ACCEPT_MAX = 8
/** Two lines of the control. */
const REASON_CHARS_MAX = 140
const TICKET = /^wayside1[a-z2-7]{50,70000}$/
const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
/** What has no shape of its own, or turns the text that follows around. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]+/gu

/** Reads the attributes `mesh`, `accept` and `reason`. Throws an Error that tells a site's owner what is wrong. */
export const readRequest = (attribute: (name: string) => string | null): LendRequest => {
  const mesh = (attribute('mesh') ?? '').trim()
  if (!TICKET.test(mesh)) throw new Error('mesh="…" must be a ticket: wayside1…')
  const accept = [...new Set((attribute('accept') ?? '').split(/[\s,]+/).filter(Boolean))]
  if (!accept.length || accept.length > ACCEPT_MAX || !accept.every((peer) => PEER_ID.test(peer)))
    throw new Error(`accept="…" must name whose work visitors run: 1 to ${ACCEPT_MAX} PeerIds, 12D3KooW…`)
  const reason = (attribute('reason') ?? '').replace(UNSEEN, ' ').trim().slice(0, REASON_CHARS_MAX)
  return { mesh, accept, reason }
}
