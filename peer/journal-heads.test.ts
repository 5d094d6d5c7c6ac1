import { describe, expect, test } from 'vitest'
import { recordCid } from '../protocol/cid.ts'
import type { Envelope } from '../protocol/envelope.ts'
import { machine } from '../scripts/test/world.ts'
import { headBytes, JournalHeads, readHead } from './journal-heads.ts'

const { crypto } = machine
const invocations = [0, 1].map((n) => recordCid(crypto, Uint8Array.of(n)))

/** The signature has been checked by whoever adds it. */
const head = ({ signer = 'home', invocation = 0, epoch = 0, length = 1, byte = 1 }) => {
  const journal = { head: new Uint8Array(32).fill(byte), length }
  const payload = headBytes({ invocation: invocations[invocation]!, epoch, journal })
  return readHead({ payload, signer } as Envelope)
}

describe('heads that are kept', () => {
  test('two for one invocation, epoch and length contradict each other if they differ', () => {
    const heads = new JournalHeads()
    const first = head({})
    expect(heads.add(first)).toBeUndefined()
    expect(heads.add(head({}))).toBeUndefined()
    const second = head({ byte: 2 })
    expect(heads.add(second)).toEqual([first, second])
  })

  test.each([{ signer: 'another' }, { invocation: 1 }, { epoch: 1 }, { length: 2 }])('not with another %o', (other) => {
    const heads = new JournalHeads()
    heads.add(head({}))
    expect(heads.add(head({ byte: 2, ...other }))).toBeUndefined()
  })

  test('are the newest 4096, however many come', () => {
    const heads = new JournalHeads()
    for (let epoch = 0; epoch < 409_600; epoch += epoch < 5000 ? 1 : 97) heads.add(head({ epoch }))
    expect(heads.size).toBe(4096)
    expect(heads.add(head({ epoch: 0, byte: 2 }))).toBeUndefined()
    expect(heads.size).toBe(4096)
  })
})
