/** What an executor has under way. */
import { type CID, rawCid } from '../protocol/cid.ts'
import { openBatch, type SignedBatch } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import type { FrameOf } from '../protocol/frames.ts'
import { awaitedIn, type JournalEntry } from '../protocol/journal.ts'
import type { Crypto } from '../protocol/ports.ts'
import { type Checkpoint, Invocation, type TaskTemplate, taskIdOf } from '../protocol/records.ts'
import type { SandboxRun } from '../sandbox/pool.ts'
import type { Guesses } from './guesses.ts'
import type { Neighbour } from './neighbours.ts'
import { AROUND_BYTES, guessBytes, journalBytes } from './sizes.ts'

/** Of one invoke frame. No answer and no receipt leaves for its items before it has been verified. */
export interface FrameSignature {
  isVerified: boolean
  /** Rejects if the signature is not the invoker's. */
  verified: Promise<void>
}

/** One item accepted and not yet answered. */
export interface WorkItem {
  readonly id: number
  readonly neighbour: Neighbour
  /** PeerId of whom it is for: the neighbour, or the caller that this acts for. */
  readonly party: string
  /** The canonical bytes of the invocation, and the same decoded. */
  readonly invocationBytes: Uint8Array
  readonly invocation: Invocation
  readonly task: CID
  readonly template: TaskTemplate
  readonly attempt: number
  readonly epoch: number
  readonly input: Uint8Array
  readonly journal: JournalEntry[]
  /** The checkpoint that its home lets it go on from, and what is there of it. */
  readonly at?: Checkpoint
  checkpoint?: Uint8Array | undefined
  readonly signature: FrameSignature
  readonly acceptedMs: number
  /** It came tied: ms for which it must not start. Undefined: it may start at once, and nobody is told. */
  readonly holdMs: number | undefined
  /** Ends the hold; undefined while it is not held. */
  release: (() => void) | undefined
  /** Reads that came with it. */
  readonly guesses: Guesses
  /** What input, journal and guesses hold. */
  bytes: number
  /** Requests made that wait for an answer. */
  readonly awaited: Set<number>
  run: SandboxRun | undefined
  ended: boolean
}

type FrameItem = FrameOf<'invoke'>['items'][number]

export const heldBytes = ({ input, journal, guesses }: Pick<FrameItem, 'input' | 'journal' | 'guesses'>): number =>
  AROUND_BYTES + input.length + journalBytes(journal) + guessBytes(guesses)

/** What the items of one invoke frame share. */
export interface WorkFrame {
  neighbour: Neighbour
  party: string
  mesh: CID
  template: TaskTemplate
  signature: FrameSignature
  acceptedMs: number
}

/**
 * Throws MeshError E_MESSAGE or E_MESH_MISMATCH unless `invocationBytes` ask for an item in the neighbour's name. That it is
 * this one, `verifyItems` sees.
 */
export const openItem = (
  { mesh, ...frame }: WorkFrame,
  item: FrameItem,
  invocationBytes: Uint8Array,
  holdMs: number | undefined,
): WorkItem => {
  const { peer } = frame.neighbour
  const invocation = Invocation.decode(invocationBytes)
  if (!invocation.mesh.equals(mesh)) throw new MeshError('E_MESH_MISMATCH', 'an invocation of another mesh')
  if (invocation.invoker !== peer) throw new MeshError('E_MESSAGE', 'an invocation of another invoker')
  if (invocation.home !== peer) throw new MeshError('E_MESSAGE', 'an invocation with another home')
  return {
    ...frame,
    ...item,
    invocationBytes,
    invocation,
    task: invocation.task,
    holdMs,
    release: undefined,
    bytes: heldBytes(item),
    awaited: awaitedIn(item.journal),
    guesses: [...(item.guesses ?? [])],
    run: undefined,
    ended: false,
  }
}

const ensureOwnTasks = async (crypto: Pick<Crypto, 'hash'>, items: readonly WorkItem[]): Promise<void> => {
  for (const { template, input, task } of items) {
    const named = taskIdOf(crypto, { v: 1, ...template, input: rawCid(crypto, input) })
    if (!task.equals(named)) throw new MeshError('E_MESSAGE', 'an invocation that does not name its task')
  }
}

/** The items of one frame. Rejects with MeshError E_SIGNATURE, or E_MESSAGE for an invocation that does not name what came with it. */
export const verifyItems = async (
  crypto: Crypto,
  signed: SignedBatch,
  items: readonly WorkItem[],
  signature: FrameSignature,
): Promise<void> => {
  const { peer } = (items[0] as WorkItem).neighbour
  await Promise.all([openBatch(crypto, peer, 'invocation', signed), ensureOwnTasks(crypto, items)])
  signature.isVerified = true
}

/** How it stands, as its invoker is told. */
export const progressOf = ({ id, run }: WorkItem): FrameOf<'progress'>['items'][number] => {
  const state = run?.state() ?? 'queued'
  const known = state === 'done' ? 'running' : state
  return { id, state: known, fuel: run?.fuel() ?? 0, alive: run?.alive() ?? true }
}
