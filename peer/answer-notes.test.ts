import { expect, test } from 'vitest'
import { outcomeOf } from '../scripts/test/scripted-peer.ts'
import { FakeClock } from '../simulations/clock.ts'
import { AnswerNotes } from './answer-notes.ts'
import type { ExecutorEvents } from './executor-parts.ts'
import { soon } from './soon.ts'
import type { WorkItem } from './work.ts'

test('answers are noted after what was about to leave when they were given, those of one task together', async () => {
  const clock = new FakeClock()
  const happened: unknown[] = []
  const log = { event: (event: string) => void happened.push(event) }
  const events = {
    answered: ({ id }: WorkItem) => void happened.push(id),
  } as unknown as ExecutorEvents
  const notes = new AnswerNotes({ clock, log }, events)
  const answer = (id: number) => {
    const item = { id, party: 'alice', acceptedMs: 0, template: {} } as WorkItem
    notes.add({ item, outcome: outcomeOf(1), outcomeBytes: new Uint8Array(1), trace: undefined })
  }
  soon(() => void happened.push('sent'))
  answer(1)
  await undefined
  answer(2)
  await clock.advance(0)
  answer(3)
  await clock.advance(0)
  const noted = (id: number) => [id, 'task.answered']
  expect(happened).toEqual(['sent', ...noted(1), ...noted(2), ...noted(3)])
})
