/** A local network of a world: whoever announces itself there is seen by all others under the same tag, at once. */
import type { Sighting, Vicinity } from '../protocol/ports.ts'

interface Announced {
  tag: string
  self: () => Sighting
  seen: (sighting: Sighting) => void
}

export class Lan {
  readonly #here = new Set<Announced>()

  /** The port of one more machine on it. */
  join(): Vicinity {
    let here: Announced | undefined
    return {
      start: (tag, self, seen) => {
        here = { tag, self, seen }
        for (const other of this.#here) {
          if (other.tag !== tag) continue
          other.seen(self())
          seen(other.self())
        }
        this.#here.add(here)
      },
      stop: () => void (here && this.#here.delete(here)),
    }
  }
}
