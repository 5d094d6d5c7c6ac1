/**
 * `sandbox/program/program.ts` as a page's sandboxes have it: in a file of its own, which is loaded when the first code comes
 * that is WebAssembly or has some of it. Few functions do.
 */
import type * as Tier from '../sandbox/program/program.ts'

let tier: typeof Tier | undefined
let why = 'nobody asked for it'
let lacking = () => {}

/** As there; throws Error, and asks for it again, where the file has not come: the next run may have it. */
export const openProgram: typeof Tier.openProgram = (...args) => {
  if (tier) return tier.openProgram(...args)
  lacking()
  throw new Error(`what runs WebAssembly did not load: ${why}`)
}

/** To the page, from a sandbox that needs the tier; and its answer: where the file is, of checked bytes, or why it is not there. */
export type TierOrder = { tier: 'wanted' } | { tier: 'here'; url: string } | { tier: 'failed'; why: string }

/** Frames go through it to the sandbox, in their order: those from the first that needs the tier wait until it is there, or failed. */
export class TierGate {
  readonly #pass: (frame: Uint8Array) => void
  readonly #brings: (frame: Uint8Array) => boolean
  #held: Uint8Array[] | undefined

  /** `brings`: does a frame bring code that needs the tier? `want` asks for it; `take` is called with what comes of that. */
  constructor(pass: (frame: Uint8Array) => void, brings: (frame: Uint8Array) => boolean, want: () => void) {
    this.#pass = pass
    this.#brings = brings
    lacking = want
  }

  frame(frame: Uint8Array): void {
    if (this.#held) return void this.#held.push(frame)
    if (tier || !this.#brings(frame)) return this.#pass(frame)
    this.#held = [frame]
    lacking()
  }

  async take(order: TierOrder): Promise<void> {
    try {
      if (order.tier === 'here') tier = await import(order.url)
      if (order.tier === 'failed') why = order.why
    } catch (error) {
      why = (error as Error).message
    }
    const held = this.#held ?? []
    this.#held = undefined
    for (const frame of held) this.#pass(frame)
  }
}
