/** What the records of a call hold, in bytes: near enough for limits on memory and frames. */
import type { Guess, JournalEntry } from '../protocol/journal.ts'

/** The fields around the payload of an entry or an item. */
export const AROUND_BYTES = 128

export const entryBytes = (entry: JournalEntry): number => {
  if (entry.entry === 'request') return AROUND_BYTES + entry.arguments.length
  const { answer } = entry
  return AROUND_BYTES + (answer.ok ? answer.value.length : answer.message.length)
}

export const journalBytes = (journal: readonly JournalEntry[]): number =>
  journal.reduce((sum, entry) => sum + entryBytes(entry), 0)

export const guessBytes = (guesses: readonly Guess[] = []): number =>
  guesses.reduce((sum, { arguments: { length }, value }) => sum + AROUND_BYTES + length + value.length, 0)
