import { expect, test } from 'vitest'
import { rawCid } from '../protocol/cid.ts'
import { machine } from '../scripts/test/world.ts'
import { FakeClock } from '../simulations/clock.ts'
import { Auditor, type AuditorParts } from './auditor.ts'
import type { Performed } from './calls.ts'

const cidOf = (text: string) => rawCid(machine.crypto, new TextEncoder().encode(text))
const performedBy = (executor: string, outcome: string) =>
  ({
    ...{ executor, outcomeCid: cidOf(outcome), outcomeBytes: new Uint8Array(0) },
    item: { request: { input: new Uint8Array(0) }, manifest: { effects: [] }, task: cidOf('task'), journal: [] },
  }) as unknown as Performed

test('where others cannot be asked for a fault of its own, it judges those who have signed, and says so', async () => {
  const said: [string, string][] = []
  const events: string[] = []
  const standings = {
    suspend: (peer: string) => said.push(['suspended', peer]),
    restore: (peer: string) => said.push(['restored', peer]),
    right: (peer: string) => said.push(['right', peer]),
    wrong: (peer: string) => said.push(['wrong', peer]),
    probationLeft: () => 0,
    isExpelled: () => false,
    isCleared: () => true,
  }
  const parts = {
    ...{ standings, memo: { drop() {} }, prepare: () => ({}) },
    neighbours: {
      lenders: () => {
        throw new TypeError('a fault')
      },
    },
    local: { repeat: async () => ({ outcomeCid: cidOf('right') }) },
  } as unknown as AuditorParts
  const log = { event: (name: string) => void events.push(name) }
  const auditor = new Auditor(
    { clock: new FakeClock(), random: { below: () => 0, bytes: () => new Uint8Array(0) }, log },
    parts,
  )
  auditor.settle([performedBy('A', 'right'), performedBy('B', 'wrong')], ['B'])
  await expect.poll(() => said.filter(([what]) => what === 'restored').length).toBeGreaterThan(0)
  expect(events).toEqual(['internal.error'])
  expect(said).toEqual(
    expect.arrayContaining([
      ['suspended', 'B'],
      ['right', 'A'],
      ['wrong', 'B'],
      ['restored', 'B'],
    ]),
  )
})
