/**
 * The blocks of large values, in namespaces of the same state: they are there before the entry that names them, and go with
 * it. No block has two owners: so whoever finds an upload that its entry does not name may delete it, whole, in one commit.
 */
import { MeshError } from '../../protocol/errors.ts'
import { Upload } from '../../protocol/large-values.ts'
import { LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import type { Clock, Ports } from '../../protocol/ports.ts'
import type { Block } from '../../protocol/split.ts'
import type { Read, StateEngine, Write } from './engine.ts'
import { decodeReference, isReference } from './large-reference.ts'

/** No grant reaches them. */
const UPLOADS = '.uploads'
const BLOCKS = '.blocks'

/** Another home's upload may be on its way for so long; if it is taken for dead before, its commit conflicts and is made again. */
const UNDER_WAY_MS_MAX = 60_000

const blockKey = (upload: string, index: number): string => `${upload}/${`${index}`.padStart(3, '0')}`

export const blockKeys = (upload: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => blockKey(upload, index))

/**
 * Nothing ever stands under it. The commit of a large value reads it, and who deletes the upload writes it: so of the two
 * one takes place.
 */
export const fenceOf = (upload: string): Read => ({ namespace: UPLOADS, key: `${upload}/gone` })

const recordOf = (upload: string): Read => ({ namespace: UPLOADS, key: upload })

export const readBlocks = async (
  engine: Pick<StateEngine, 'read'>,
  keys: readonly string[],
  revision: number,
): Promise<(Uint8Array | undefined)[]> =>
  (await engine.read(BLOCKS, keys, revision)).map(({ value }) => value?.subarray(1))

/** Behind a byte, so that none can be taken for what names blocks. */
const entryOf = (block: Uint8Array): Uint8Array => {
  const value = new Uint8Array(1 + block.length)
  value.set(block, 1)
  return value
}

/** How often all of them are looked at where other homes may have left some. */
const LOOK_EACH_MS = 10 * 60_000

interface Kept extends Upload {
  name: string
}

type UploadPorts = Pick<Ports, 'random'> & { clock: Pick<Clock, 'monotonic'> }

const entryName = ({ namespace, key }: Read): string => `${namespace} ${key}`

export class Uploads {
  readonly #ports: UploadPorts
  readonly #engine: StateEngine
  /** Other homes put large values too. */
  readonly #isShared: boolean
  /** Those that are known here, by the entries that they are for. */
  readonly #known = new Map<string, Map<string, Kept>>()
  /** Begun here, and not settled. */
  readonly #underWay = new Set<string>()
  /** Of other homes, as long as no entry names them: since when. */
  readonly #unnamedMs = new Map<string, number>()
  /** Whose entries may name them no more. */
  #doubted = new Map<string, Kept>()
  #lookedMs = Number.NEGATIVE_INFINITY
  #sweeping: Promise<void> | undefined

  constructor(ports: UploadPorts, engine: StateEngine, isShared: boolean) {
    this.#ports = ports
    this.#engine = engine
    this.#isShared = isShared
    this.#sweep()
  }

  /** Resolves when nothing is left to be deleted, or it cannot be now. */
  async swept(): Promise<void> {
    await this.#sweeping
  }

  /** Its name; undefined: it was taken for dead meanwhile. To be settled, also if this throws. */
  async keep(upload: string, namespace: string, key: string, blocks: readonly Block[]): Promise<boolean> {
    const about: Upload = { v: 1, namespace, key, blocks: blocks.length }
    this.#underWay.add(upload)
    this.#note({ name: upload, ...about })
    const begun = { ...recordOf(upload), put: Upload.encode(about) }
    const revision = await this.#commit(`upload/${upload}`, await this.#engine.revision(), [], [begun])
    if (revision === undefined) return false
    const kept = await Promise.all(
      blocks.map(({ bytes }, index) => {
        const write = { namespace: BLOCKS, key: blockKey(upload, index), put: entryOf(bytes) }
        return this.#commit(`upload/${upload}/${index}`, revision, [fenceOf(upload)], [write])
      }),
    )
    return kept.every((one) => one !== undefined)
  }

  name(): string {
    return Array.from(this.#ports.random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** An entry names them now, or none ever will. */
  settled(uploads: readonly string[]): void {
    for (const upload of uploads) this.#underWay.delete(upload)
  }

  /** These writes were to be committed. */
  written(writes: readonly Read[]): void {
    if (this.#known.size === 0) return
    for (const write of writes)
      for (const [name, kept] of this.#known.get(entryName(write)) ?? []) this.#doubted.set(name, kept)
    if (this.#doubted.size > 0) this.#sweep()
  }

  #note(kept: Kept): void {
    const entry = entryName(kept)
    const known = this.#known.get(entry) ?? new Map<string, Kept>()
    this.#known.set(entry, known.set(kept.name, kept))
  }

  #forget(kept: Kept): void {
    const entry = entryName(kept)
    const known = this.#known.get(entry)
    known?.delete(kept.name)
    if (known?.size === 0) this.#known.delete(entry)
    this.#unnamedMs.delete(kept.name)
  }

  /** Deletes what is nobody's, in the background. */
  #sweep(): void {
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = undefined
    })
  }

  async #sweepAll(): Promise<void> {
    await undefined
    try {
      await this.#lookForOthers()
      while (this.#doubted.size > 0) {
        const doubted = this.#doubted
        this.#doubted = new Map()
        for (const kept of doubted.values()) await this.#judge(kept)
      }
    } catch (cause) {
      // What is not deleted now is found by the next home that begins.
      if (!(cause instanceof MeshError)) throw cause
    }
  }

  /** What an earlier life of this home has left, and what others have. */
  async #lookForOthers(): Promise<void> {
    const nowMs = this.#ports.clock.monotonic()
    if (nowMs - this.#lookedMs < (this.#isShared ? LOOK_EACH_MS : Number.POSITIVE_INFINITY)) return
    const revision = await this.#engine.revision()
    for (let after: string | undefined, more = true; more; ) {
      const page = await this.#engine.list({ namespace: UPLOADS, prefix: '', after, limit: LIST_ENTRIES_MAX }, revision)
      for (const { key, value } of page.entries) {
        const kept = { name: key, ...Upload.decode(value as Uint8Array) }
        this.#note(kept)
        this.#doubted.set(key, kept)
      }
      after = page.entries.at(-1)?.key
      more = page.more
    }
    this.#lookedMs = nowMs
  }

  async #judge(kept: Kept): Promise<void> {
    const { name, namespace, key } = kept
    if (this.#underWay.has(name)) return
    const revision = await this.#engine.revision()
    const [entry] = await this.#engine.read(namespace, [key], revision)
    const isNamed = isReference(entry?.value) && decodeReference(entry.value).upload === name
    if (isNamed) this.#unnamedMs.set(name, Number.NEGATIVE_INFINITY)
    else if (this.#isDead(name) && (await this.#delete(kept, revision))) this.#forget(kept)
  }

  #isDead(name: string): boolean {
    if (!this.#isShared) return true
    const nowMs = this.#ports.clock.monotonic()
    const sinceMs = this.#unnamedMs.get(name) ?? nowMs
    this.#unnamedMs.set(name, sinceMs)
    return nowMs - sinceMs >= UNDER_WAY_MS_MAX
  }

  /** False: it is named since. */
  async #delete({ name, namespace, key, blocks }: Kept, revision: number): Promise<boolean> {
    const writes: Write[] = [
      ...blockKeys(name, blocks).map((block): Write => ({ namespace: BLOCKS, key: block, delete: true })),
      ...[recordOf(name), fenceOf(name)].map((one): Write => ({ ...one, delete: true })),
    ]
    return (await this.#commit(`sweep/${name}`, revision, [{ namespace, key }], writes)) !== undefined
  }

  /** Undefined: something that was read has changed since `revision`. */
  async #commit(
    id: string,
    revision: number,
    reads: readonly Read[],
    writes: readonly Write[],
  ): Promise<number | undefined> {
    const committed = await this.#engine.commit({ id, revision, reads, ranges: [], writes })
    return committed.kind === 'committed' ? committed.revision : undefined
  }
}
