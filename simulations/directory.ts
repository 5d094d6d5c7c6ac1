/** The directory of a world's meshes, in one table that all who carry it share: records last as long as a real one's. */
import type { Clock, Directory, DirectoryGate, Sighting } from '../protocol/ports.ts'

const RECORD_MS = 10 * 60_000
/** As many as one walk through a real one brings. */
const FOUND_AT_ONCE = 20

interface Kept {
  provider: () => Sighting
  untilMs: number
}

const nameOf = (mesh: string, key: Uint8Array) => `${mesh} ${key.join('.')}`

export class DirectoryHub {
  /** What was asked of it, and by whom. */
  readonly asked: { by: string; what: 'provide' | 'find' }[] = []
  /** Whom each that carries it lets in. */
  readonly gates = new Map<string, DirectoryGate>()
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #walkMs: number
  readonly #kept = new Map<string, Map<string, Kept>>()

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, walkMs = 0) {
    this.#clock = clock
    this.#walkMs = walkMs
  }

  /** How many providers each key has now. */
  get crowds(): number[] {
    return [...this.#kept.keys()].map((name) => this.#providers(name).length)
  }

  /** The port of one more machine, once it is known where that is. */
  join(self: () => Sighting): Directory {
    let mesh = ''
    const providers = (key: Uint8Array) => this.#providers(nameOf(mesh, key)).slice(0, FOUND_AT_ONCE)
    const asked = (what: 'provide' | 'find') => this.asked.push({ by: self().peer, what })
    const walk = () => new Promise<void>((resolve) => this.#clock.after(this.#walkMs, resolve))
    return {
      start: async (named, gate) => {
        mesh = named
        this.gates.set(self().peer, gate)
      },
      add: () => {},
      provide: async (key) => {
        asked('provide')
        await walk()
        const providers = this.#kept.get(nameOf(mesh, key)) ?? new Map<string, Kept>()
        providers.set(self().peer, { provider: self, untilMs: this.#clock.monotonic() + RECORD_MS })
        this.#kept.set(nameOf(mesh, key), providers)
      },
      async *find(key) {
        asked('find')
        await walk()
        yield* providers(key)
      },
      stop: async () => {},
    }
  }

  #providers(name: string): Sighting[] {
    const kept = [...(this.#kept.get(name)?.values() ?? [])]
    return kept.filter(({ untilMs }) => untilMs > this.#clock.monotonic()).map(({ provider }) => provider())
  }
}
