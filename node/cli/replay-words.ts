/** What a replay found, in plain words and as JSON. */
import type { Recording, Replay } from '../../peer/replay.ts'
import { isDeferred } from '../../protocol/effects.ts'
import { type Answer, awaitedIn, type EffectRequest, type JournalEntry } from '../../protocol/journal.ts'
import { parseJson } from '../../protocol/json.ts'
import { decodeValue, valueToJson } from '../../protocol/values.ts'
import { requestWords } from '../../sandbox/replay.ts'
import { plainText } from '../plain-text.ts'
import { differenceWords, excerpt, resultText, valueText } from './outcome-words.ts'
import { paintOut } from './terminal.ts'
import { countOf, countWords, sizeWords } from './words.ts'

export interface Replayed extends Replay {
  recording: Recording
  /** The file of the code that was run in the place of the recorded. */
  source: string | undefined
  /** Text of that code with the frames of its stacks led back to its sources. */
  readStack(text: string): string
}

type Request = Extract<JournalEntry, { entry: 'request' }>

const NAME_CHARS = 12
/** Of what `--until` shows; `--json` has all of it. */
const SHOWN_LINES_MAX = 40

const fact = (name: string, text: string): string => `  ${name.padEnd(NAME_CHARS)}${text}\n`

const requestsOf = ({ journal }: Recording): Request[] => journal.filter((one) => one.entry === 'request')

const answerText = (answer: Answer): string => {
  if (!answer.ok) return `the error ${answer.code}: ${answer.message}`
  return answer.blocks ? `${countOf(answer.blocks.length, 'block')}` : (valueText(answer.value) ?? '')
}

const logRow = (columns: readonly string[]): string => {
  const [arrow = '', n = '', kind = '', bytes = '', what = ''] = columns
  return `${arrow} ${n.padStart(5)}  ${kind.padEnd(8)}${bytes.padStart(10)}  ${what}`.trimEnd()
}

/** Seconds since it began, by the wall clock of its home. */
const timeText = ({ kept, times }: Recording, entry: JournalEntry): string =>
  kept ? `${((((times.get(entry) ?? 0) - kept.created_ms) / 1000).toFixed(3)).padStart(10)}  ` : ''

const entryRow = (entry: JournalEntry): string => {
  const n = `${entry.n}`
  if (entry.entry === 'request') {
    const what = excerpt(valueText(entry.arguments) ?? '', 0)
    const note = isDeferred(entry.kind) ? paintOut('dim', '  deferred: no answer') : ''
    return logRow(['→', n, entry.kind, countWords(entry.arguments.length), `${what}${note}`])
  }
  const { answer } = entry
  const what = excerpt(answerText(answer), 0)
  const bytes = answer.ok && !answer.blocks ? countWords(answer.value.length) : ''
  return logRow(['←', n, '', bytes, answer.ok ? what : paintOut('red', what)])
}

/** Requests and answers in their order. */
const logWords = (recording: Recording): string => {
  const { journal, kept } = recording
  const requests = journal.filter(({ entry }) => entry === 'request').length
  const total = `${countOf(requests, 'request')}, ${countOf(journal.length - requests, 'answer')}`
  if (journal.length === 0) return `${total}\n\n`
  const heading = `${kept ? 'seconds  '.padStart(12) : ''}${logRow([' ', 'n', 'kind', 'bytes', 'what'])}`
  const rows = [paintOut('dim', heading), ...journal.map((one) => timeText(recording, one) + entryRow(one))]
  return `${rows.join('\n')}\n${total}\n\n`
}

const indented = (text: string): string => {
  const lines = text.split('\n')
  const shown = lines.slice(0, SHOWN_LINES_MAX).map((line) => `    ${excerpt(line, 0)}\n`)
  const rest = lines.length - SHOWN_LINES_MAX
  return `${shown.join('')}${rest > 0 ? `    … ${countOf(rest, 'line')} more: --json has them\n` : ''}`
}

const stopWords = ({ recording, stopped }: Replayed & { stopped: NonNullable<Replay['stopped']> }): string => {
  const { request, console, fuel } = stopped
  const { n, after, kind } = request
  const recorded = requestsOf(recording).length
  const place = `before request ${n}, after ${countOf(after, 'answer')}; ${countOf(recorded, 'request')} recorded`
  const used = fuel === undefined ? '' : `, ${countWords(fuel)} fuel`
  const untold = console === undefined ? 'its engine does not tell what it had printed\n' : ''
  const answer = recording.journal.find((one) => one.entry === 'answer' && one.n === n)
  const answered =
    answer?.entry === 'answer' ? answerText(answer.answer) : isDeferred(kind) ? 'nothing: it is deferred' : 'nothing'
  return [
    `${paintOut('yellow', 'stopped')} ${place}${used}\n${untold}`,
    `  it asks: ${kind}\n${indented(valueToJson(decodeValue(request.arguments), 2))}`,
    `  the journal answers:\n${indented(answered)}`,
  ].join('')
}

/** Where one stands that has no outcome, or none yet. */
const pendingWords = ({ pending, recording, gives }: Replayed): string => {
  if (recording.outcome) return ''
  const { state = 'running', error } = recording.kept ?? {}
  const how = state === 'running' ? 'it still runs' : `it has ended: ${state}`
  const why = error ? `, ${error.code}: ${plainText(error.message)}` : ''
  const stood = pending?.request
    ? `it was to ask ${requestWords(pending.request)}`
    : pending && `it waits for the answer to ${waitsFor(recording)}`
  const at = gives ? 'it comes to an end, which its home has not recorded' : stood
  return fact('stands', `${how}${why}${at ? `; ${at}` : ''}`)
}

const waitsFor = ({ journal }: Recording): string => {
  const awaited = [...awaitedIn(journal)].sort((a, b) => a - b)
  return awaited.length === 0 ? 'something' : `request ${awaited.join(', ')}`
}

const differenceFacts = ({ difference, recording, gives, source }: Replayed): string => {
  if (!difference) return ''
  if (difference.part === 'request')
    return fact('expected', plainText(difference.expected)) + fact('came', plainText(difference.found))
  if (difference.part === 'memory') return fact('memory', 'other hashes than in the receipt, at the same outcome')
  if (!recording.says || !gives) return ''
  const [says, came] =
    source === undefined
      ? differenceWords(recording.says, gives)
      : [excerpt(resultText(recording.says), 0), excerpt(resultText(gives), 0)]
  return fact('recorded', says) + fact('came', came)
}

const headingOf = ({ difference, source, stopped, recording }: Replayed): string => {
  const what = source === undefined ? 'run again here' : `${plainText(source)} with the recorded journal`
  if (difference?.part === 'request') return `${paintOut('red', 'differs')}: ${what}, at request ${difference.n}\n`
  if (difference) return `${paintOut('red', 'differs')}: ${what}, in its ${difference.part}\n`
  if (stopped) return ''
  const whole = source === undefined ? 'bit for bit' : 'the same requests and the same result'
  const how = recording.outcome ? whole : 'as far as it has come'
  return `${paintOut('green', 'same')}: ${what}, ${how}\n`
}

const memoryWords = ({ isSameMemory, gives, recording }: Replayed): string => {
  const size = sizeWords(gives?.memory_bytes ?? 0)
  if (!recording.signed) return size
  if (isSameMemory === undefined) return `${size}; the receipt has no hashes of it (run --trace keeps them)`
  return isSameMemory ? `${size}, the same by its hashes` : size
}

const outcomeFacts = (replayed: Replayed): string => {
  const { recording, gives, source } = replayed
  if (!gives) return ''
  const { says, outcome } = recording
  const used = countWords(gives.fuel)
  const fuel = source === undefined || !outcome ? used : `${used}, recorded ${says ? countWords(says.fuel) : '?'}`
  const facts = [fact('requests', countWords(gives.requests.length)), fact('fuel', fuel)]
  if (replayed.difference) return facts.join('')
  facts.unshift(fact('result', excerpt(resultText(gives), 0)))
  if (source === undefined) facts.push(fact('memory', memoryWords(replayed)))
  if (source === undefined && outcome) facts.push(fact('outcome', outcome.toString()))
  return facts.join('')
}

export const replayWords = (replayed: Replayed, withLog: boolean): string => {
  const { recording, functionName, stopped, source } = replayed
  const { signed, kept, invocation, task } = recording
  const named = source === undefined ? ` (${plainText(functionName)})` : ''
  const functionText = `${task.function}#${plainText(task.export)}${named}`
  return [
    withLog ? logWords(recording) : '',
    stopped ? stopWords({ ...replayed, stopped }) : '',
    headingOf(replayed),
    differenceFacts(replayed),
    pendingWords(replayed),
    outcomeFacts(replayed),
    fact(source === undefined ? 'function' : 'instead of', functionText),
    fact('invocation', invocation),
    kept ? fact('begun', new Date(kept.created_ms).toISOString()) : '',
    signed ? fact('ran on', signed.receipt.executor) + fact('asked by', signed.invocation.invoker) : '',
  ].join('')
}

const jsonOf = (encoded: Uint8Array): unknown => {
  const text = valueText(encoded)
  return text === undefined ? null : parseJson(text)
}

const answerJson = (answer: Answer) => {
  if (!answer.ok) return { error: { code: answer.code, message: answer.message } }
  if (answer.blocks) return { blocks: answer.blocks.map(String) }
  return { value: jsonOf(answer.value), bytes: answer.value.length }
}

const entryJson = (one: JournalEntry, at_ms?: number) => ({ ...entryOf(one), ...(at_ms !== undefined && { at_ms }) })

const entryOf = (one: JournalEntry) =>
  one.entry === 'request'
    ? {
        request: one.n,
        kind: one.kind,
        arguments: jsonOf(one.arguments),
        bytes: one.arguments.length,
        after: one.after,
      }
    : { answer: one.n, ...answerJson(one.answer) }

const requestJson = (request: EffectRequest) => entryJson({ entry: 'request', ...request })

const stopJson = ({ stopped, recording, readStack }: Replayed) => {
  if (!stopped) return {}
  const { request, console, fuel } = stopped
  const answer = recording.journal.find((one) => one.entry === 'answer' && one.n === request.n)
  const printed = console?.map((line) => ({ ...line, text: readStack(line.text) }))
  return {
    stopped: {
      ...requestJson(request),
      answer: answer?.entry === 'answer' ? answerJson(answer.answer) : null,
      console: printed ?? null,
      fuel: fuel ?? null,
    },
  }
}

const resultJson = (outcome: Recording['says']): object | null => {
  if (!outcome) return null
  const { result, fuel, memory_bytes } = outcome
  const came = result.ok ? { value: jsonOf(result.value) } : { error: { code: result.code, message: result.message } }
  return { ...came, fuel, memory_bytes }
}

export const replayJson = (replayed: Replayed, withLog: boolean): object => {
  const { recording, difference, gives, isSameMemory, functionName, source, pending } = replayed
  const { signed, kept, task, says, outcome, journal, times } = recording
  return {
    same: difference === undefined,
    ...(difference && { difference }),
    ...(source !== undefined && { with: source }),
    ...stopJson(replayed),
    recorded: resultJson(says),
    came: resultJson(gives),
    same_memory: isSameMemory ?? null,
    requests: requestsOf(recording).length,
    outcome: outcome?.toString() ?? null,
    engine: task.environment.engine,
    function: task.function.toString(),
    export: task.export,
    name: functionName,
    invocation: recording.invocation,
    task: recording.taskId.toString(),
    ...(signed && { executor: signed.receipt.executor, invoker: signed.invocation.invoker }),
    ...(kept && { state: kept.state, created_ms: kept.created_ms, error: kept.error ?? null }),
    ...(pending && { pending: pending.request ? requestJson(pending.request) : null }),
    ...(withLog && { log: journal.map((one) => entryJson(one, times.get(one))) }),
  }
}
