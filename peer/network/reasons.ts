/** What `closed` says of how a channel ended; an abort and a breach of the protocol bring words of their own. */

export const CLOSED_HERE = 'closed by this side'
export const CLOSED_THERE = 'closed by the other side'
export const RESET_THERE = 'reset by the other side'
export const CONNECTION_LOST = 'connection lost'
