/** The homes that share a state: when one of them is gone, the others go on with what it had begun. */

export interface Homes {
  /** Whether the home by that PeerId lives, as far as is known here. One that was only cut off may still take itself for alive. */
  isThere(home: string): boolean
  /** Calls `gone` whenever some home may have gone. Returns what ends that. */
  follow(gone: () => void): () => void
}
