/** A state engine on a machine that crashes, with a disk that fails, behind a line that loses answers. */
import type { StateEngine } from '../peer/state/engine.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { MeshError } from '../protocol/errors.ts'
import type { Clock, Random, Storage } from '../protocol/ports.ts'
import { ForgetfulDisk, failingStorage } from './forgetful-storage.ts'

export interface StateFaults {
  clock: Clock
  random: Random
  /** Between two crashes, on average; undefined: there is none. */
  msPerCrash?: number | undefined
  /** Of so many requests to the disk one fails. */
  failureOneIn?: number | undefined
  /** Of so many commits one is not answered, of which each third is never asked for, or only later. */
  lostOneIn?: number | undefined
  /** What is planted in an engine, to see that it is found; `isWhole` is false where its machine has crashed since. */
  planted?: ((engine: StateEngine) => StateEngine) | undefined
  plantedInStorage?: ((storage: Storage) => Storage) | undefined
}

/** One await of the disk. */
const DISK_DELAY_MS_MAX = 2
const RESTART_MS = 5
/** Before a request that nobody waits for any more arrives. */
const LATE_MS_MAX = 40

const unreachable = (what: string) => new MeshError('E_STATE_UNAVAILABLE', `state engine: ${what}`)

/** All that is under way when its machine is gone ends so; what comes later does, too. */
const lostWith = (engine: StateEngine, gone: Promise<never>): StateEngine => {
  const orGone = <T>(answer: Promise<T>) => Promise.race([answer, gone])
  return {
    revision: () => orGone(engine.revision()),
    read: (...asked) => orGone(engine.read(...asked)),
    list: (...asked) => orGone(engine.list(...asked)),
    commit: (transaction) => orGone(engine.commit(transaction)),
    watch: (...asked) => engine.watch(...asked),
    ensureRoom: (...asked) => orGone(engine.ensureRoom(...asked)),
    close: () => orGone(engine.close()),
  }
}

export class FaultyState {
  readonly #faults: StateFaults
  readonly #disk = new ForgetfulDisk()
  #engine: Promise<StateEngine>
  crashes = 0
  failures = 0
  lost = 0

  constructor(faults: StateFaults) {
    this.#faults = faults
    this.#engine = this.#start()
  }

  engineOf = (): Promise<StateEngine> => this.#engine

  /** A line of its own for whoever asks. */
  pause = (): Promise<void> => this.#wait(this.#faults.random.below(4 * 1024) / 1024)

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#faults.clock.after(ms, resolve))
  }

  async #start(): Promise<StateEngine> {
    const { clock, random, msPerCrash, failureOneIn, planted = same, plantedInStorage = same } = this.#faults
    let fail = (_: MeshError) => {}
    const gone = new Promise<never>((_, reject) => {
      fail = reject
    })
    gone.catch(() => {})
    const cut = () => {
      this.crashes += 1
      fail(unreachable('its machine has crashed'))
      this.#engine = this.#restart()
    }
    const delay = () => this.#wait(random.below(DISK_DELAY_MS_MAX * 1024) / 1024)
    const { storage, cutOff } = this.#disk.start({ random, cut, delay })
    if (msPerCrash) clock.after(random.below(2 * msPerCrash), cutOff)
    const failed = () => {
      this.failures += 1
    }
    const disk = failureOneIn ? failingStorage(storage, random, failureOneIn, failed) : storage
    const damaged = (what: string) => {
      throw new Error(`damaged: ${what}`)
    }
    const quotaOf = () => ({ keys: 1_000_000, bytes: 2 ** 30 })
    try {
      const open = openStorageEngine({ storage: plantedInStorage(disk), quotaOf, damaged })
      const engine = await Promise.race([open, gone])
      return this.#lossy(lostWith(planted(engine), gone))
    } catch (error) {
      if (!(error instanceof MeshError)) throw error
      return error.code === 'E_STATE_UNAVAILABLE' ? this.#engine : this.#restart()
    }
  }

  async #restart(): Promise<StateEngine> {
    await this.#wait(RESTART_MS)
    return this.#start()
  }

  /** Before it gets there, on its way, or after it was done. */
  #lossy(engine: StateEngine): StateEngine {
    const { random, lostOneIn } = this.#faults
    if (!lostOneIn) return engine
    const commit: StateEngine['commit'] = async (transaction) => {
      if (random.below(lostOneIn) > 0) return engine.commit(transaction)
      this.lost += 1
      const fate = random.below(3)
      if (fate === 0) await engine.commit(transaction)
      if (fate === 1) void this.#wait(random.below(LATE_MS_MAX)).then(() => engine.commit(transaction).catch(() => {}))
      throw unreachable('its answer was lost')
    }
    return { ...engine, commit }
  }
}

const same = <T>(it: T): T => it
