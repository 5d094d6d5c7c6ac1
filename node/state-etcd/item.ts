/** One transaction on its way to a commit, and those that travel to the committer together. */
import type { Committed, ReadRange, Transaction, Write } from '../../peer/state/engine.ts'
import { decodeCanonical, encodeCanonical } from '../../protocol/codec.ts'
import { type ErrorCode, type ErrorFields, MeshError } from '../../protocol/errors.ts'
import { stateKey } from './layout.ts'

export type Answer = Committed | MeshError

export interface Item {
  readonly transaction: Transaction
  /** What it leaves under each key, in the order of the last writes; undefined: nothing. */
  readonly writes: ReadonlyMap<string, Uint8Array | undefined>
  /** What it takes of a request to etcd. */
  readonly bytes: number
  /** By another home: its answer is written with the commit. */
  readonly isRequested: boolean
  /** Whoever asked has gone, or has been answered. */
  readonly isSettled: boolean
  settle(answer: Answer): void
}

/** etcd takes 1.5 MiB; what surrounds the transactions needs the rest. */
export const BYTES_MAX = 1_400_000
/** Nested, etcd's 128 operations are some thousands: 60 times 60. */
export const WRITES_MAX = 3000
/** Of a key in etcd the prefix and what stands around it, twice: as entry and in the log. */
const KEY_OVERHEAD_BYTES = 150
const TRANSACTION_OVERHEAD_BYTES = 400

const writesOf = ({ writes }: Transaction): Map<string, Uint8Array | undefined> => {
  const last = new Map<string, Uint8Array | undefined>()
  for (const write of writes) {
    const key = stateKey(write.namespace, write.key)
    last.delete(key)
    last.set(key, 'put' in write ? write.put : undefined)
  }
  return last
}

const textBytes = (text: string | undefined) => (text === undefined ? 0 : Buffer.byteLength(text))

/** Of the larger of the two requests that carry it: the one to the committer has its reads too. */
const bytesOf = ({ reads, ranges }: Transaction, writes: ReadonlyMap<string, Uint8Array | undefined>): number => {
  let bytes = TRANSACTION_OVERHEAD_BYTES
  for (const [key, value] of writes) bytes += KEY_OVERHEAD_BYTES + 2 * textBytes(key) + (value?.length ?? 0)
  for (const { key } of reads) bytes += KEY_OVERHEAD_BYTES + textBytes(key)
  for (const { prefix, after, through } of ranges)
    bytes += KEY_OVERHEAD_BYTES + textBytes(prefix) + textBytes(after) + textBytes(through)
  return bytes
}

/** Throws MeshError E_USAGE where it is larger than etcd takes at once. */
export const itemOf = (transaction: Transaction, isRequested: boolean, answered: (answer: Answer) => void): Item => {
  const writes = writesOf(transaction)
  const bytes = bytesOf(transaction, writes)
  if (writes.size > WRITES_MAX || bytes > BYTES_MAX) {
    const message = `a transaction of ${writes.size} keys and some ${bytes} bytes: on etcd one has up to ${WRITES_MAX} and ${BYTES_MAX}; write it in several`
    throw new MeshError('E_USAGE', { message, keys: writes.size, bytes })
  }
  let isSettled = false
  return {
    transaction,
    writes,
    bytes,
    isRequested,
    get isSettled() {
      return isSettled
    },
    settle: (answer) => {
      if (isSettled) return
      isSettled = true
      answered(answer)
    },
  }
}

const plainRange = ({ namespace, prefix, after, through }: ReadRange) => ({
  namespace,
  prefix,
  ...(after === undefined ? {} : { after }),
  ...(through === undefined ? {} : { through }),
})

const plainWrite = (write: Write) => {
  const { namespace, key } = write
  return 'put' in write ? { namespace, key, put: write.put } : { namespace, key, delete: true }
}

export const encodeTransactions = (items: readonly Item[]): Uint8Array =>
  encodeCanonical(
    items.map(({ transaction: { id, revision, reads, ranges, writes } }) => ({
      id,
      revision,
      reads: reads.map(({ namespace, key }) => ({ namespace, key })),
      ranges: ranges.map(plainRange),
      writes: writes.map(plainWrite),
    })),
  )

/** Whoever can write to this etcd is a home of this state: it has checked them. */
export const decodeTransactions = (value: Uint8Array): Transaction[] =>
  decodeCanonical(new Uint8Array(value)) as Transaction[]

type AnswerJson = Committed | { kind: 'failed'; code: ErrorCode; message: string; fields?: ErrorFields }

export const encodeAnswers = (answers: readonly Answer[]): string =>
  JSON.stringify(
    answers.map(
      (answer): AnswerJson =>
        answer instanceof MeshError
          ? { kind: 'failed', code: answer.code, message: answer.message, fields: answer.fields }
          : answer,
    ),
  )

export const decodeAnswers = (value: Buffer): Answer[] =>
  (JSON.parse(value.toString()) as AnswerJson[]).map((answer) =>
    answer.kind === 'failed' ? new MeshError(answer.code, answer.fields ?? answer.message) : answer,
  )
