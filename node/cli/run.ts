/** `wayside run`: one call, its result to stdout, everything about it to stderr. */
import { MeshError } from '../../protocol/errors.ts'
import { type Value, valueToJson } from '../../protocol/values.ts'
import { answerOf, consoleOf, encodeInput } from '../../sdk/answer.ts'
import type { BackendResult } from '../../sdk/backend.ts'
import { ensureTraceTicks } from '../../sdk/call-options.ts'
import { plainText } from '../plain-text.ts'
import { shortId } from '../short-id.ts'
import { type CallFlags, type Calling, withCalling } from './calling.ts'
import { showEnd, waitedFor } from './durable.ts'
import { showConsole } from './guest-words.ts'
import { readInput } from './input.ts'
import { ensureWritable, writeResult } from './output-file.ts'
import { note, onInterrupt, paint, print, printJson, say } from './terminal.ts'
import { agreementWords, countWords, durationWords } from './words.ts'

interface RunFlags extends CallFlags {
  receipt?: string
  trace?: string
  output?: string
}

const verifiedWords = ({ verification }: BackendResult, verify: string): string => {
  switch (verification.by) {
    case 'none':
      return verify === 'none' ? 'not verified' : 'not drawn for an audit'
    case 'own':
      return 'a machine of yours, which needs no audit'
    case 'self':
      return 'verified here by running it again'
    default:
      return agreementWords(verification)
  }
}

/** Where it ran; a person at a terminal always hears it, a script only if it ran here. */
const showWhere = (result: BackendResult, { request }: Calling, flags: RunFlags, tookMs: number) => {
  const took = durationWords(tookMs)
  if (result.local) {
    note(
      flags.local
        ? `ran in the sandbox of this machine, ${took}`
        : `no peer in reach: ran in the sandbox of this machine, ${took}`,
    )
  } else if (result.memo) {
    note(`from memo: verified before, and not executed again, ${took}`)
  } else if (process.stderr.isTTY) {
    note(`ran on ${shortId(result.executors[0] ?? '')}, ${verifiedWords(result, request.verify)}, ${took}`)
  }
  for (const { liar } of result.disputes) {
    const hint = flags.receipt === undefined ? ' (--receipt FILE keeps it, to be checked)' : ''
    say(`${paint('yellow', 'disputed')} ${shortId(liar)} signed another answer than this one${hint}`)
  }
}

const BYTES_SHOWN = 16

const bytesWords = (bytes: Uint8Array): string => {
  const head = Buffer.from(bytes.subarray(0, BYTES_SHOWN))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ')
  return `${countWords(bytes.length)} bytes: ${head}${bytes.length > BYTES_SHOWN ? ' …' : ''}  (write them with -o FILE)`
}

/** Text as it is: what programs print is bytes to us. */
const shownBytes = (bytes: Uint8Array): string => {
  const text = new TextDecoder().decode(bytes)
  if (bytes.length === 0 || !isPlain(text) || text.includes(REPLACEMENT)) return `${bytesWords(bytes)}\n`
  return text.endsWith('\n') ? text : `${text}\n`
}

const isPlain = (text: string): boolean => text.split(/[\n\t]/).every((part) => plainText(part) === part)

/** What bytes that are no UTF-8 become. */
const REPLACEMENT = '\ufffd'

const showValue = async (value: Value, flags: RunFlags): Promise<void> => {
  const bytes = value instanceof Uint8Array ? value : undefined
  if (flags.output !== undefined) {
    writeResult(flags.output, bytes ?? `${valueToJson(value)}\n`)
    if (process.stderr.isTTY) note(`wrote ${flags.output}`)
  } else if (bytes) await print(process.stdout.isTTY ? shownBytes(bytes) : bytes)
  else await print(`${valueToJson(value, process.stdout.isTTY ? 2 : undefined)}\n`)
}

const summaryOf = (result: BackendResult, { request, readStack }: Calling, tookMs: number) => ({
  function: request.function,
  export: request.export,
  verify: request.verify,
  executors: result.executors,
  local: result.local,
  memo: result.memo,
  verification: result.verification,
  executions: result.executions,
  recovered: result.recovered,
  liars: result.disputes.map(({ liar }) => liar),
  fuel: result.outcome.fuel,
  memory_bytes: result.outcome.memory_bytes,
  duration_ms: Math.round(tookMs),
  console: consoleOf(result.outcome, readStack),
})

/** One line: the value as in JSON everywhere, and how it came about. */
const showJson = (value: Value, summary: object): Promise<void> =>
  print(`{"value":${valueToJson(value)},${JSON.stringify(summary).slice(1)}\n`)

/** The receipt file, and beside it one for each executor that differs: of its receipt alone. */
const keepReceipts = (file: string, { receiptFile, disputes }: BackendResult): void => {
  if (receiptFile) {
    writeResult(file, receiptFile)
    note(`to run it again here, with what it was answered: wayside replay ${file}`)
  }
  const proofs = disputes.flatMap(({ proof }) => proof ?? [])
  for (const [i, proof] of proofs.entries()) {
    const name = `${file}.proof-${i + 1}.cbor`
    writeResult(name, proof)
    note(`what another answer was signed with, for anyone to check: wayside verify ${name}`)
  }
}

/** Throws MeshError E_USAGE. */
const traceTicksOf = ({ receipt, trace }: RunFlags): number | undefined => {
  if (trace === undefined) return undefined
  const ticks = /^[0-9]+$/.test(trace) ? Number(trace) : trace
  ensureTraceTicks('--trace', ticks, '--receipt FILE', receipt !== undefined)
  return Number(ticks)
}

const call = async (calling: Calling, input: Uint8Array, flags: RunFlags, signal: AbortSignal): Promise<void> => {
  const { backend, request, source, readStack } = calling
  const startedMs = performance.now()
  const onWait = (reason: string) => note(reason)
  const kept = { receipt: flags.receipt !== undefined, traceTicks: traceTicksOf(flags) }
  const result = await backend.call({ ...request, input, signal, onWait, ...kept })
  const tookMs = performance.now() - startedMs
  if (!flags.json) showConsole(consoleOf(result.outcome, readStack), source)
  showWhere(result, calling, flags, tookMs)
  if (flags.receipt !== undefined) keepReceipts(flags.receipt, result)
  const value = answerOf(result.outcome, readStack)
  const summary = summaryOf(result, calling, tookMs)
  if (!flags.json) return showValue(value, flags)
  if (flags.output === undefined) return showJson(value, summary)
  await showValue(value, flags)
  await printJson(summary)
}

/** It is its home's from the moment that its id is known: whoever interrupts this ends the waiting, and nothing else. */
const runDurably = async (calling: Calling, input: Uint8Array, flags: RunFlags, signal: AbortSignal): Promise<void> => {
  const { backend, request, readStack, findsLater } = calling
  const id = await backend.durable.start({ ...request, input })
  note(`invocation ${id}`)
  const alone = 'its home goes on with it, and tells nobody else: the key that asked for it ends with this command'
  note(findsLater ? `it goes on without this command; later: wayside wait ${id}` : alone)
  const end = await waitedFor(backend.durable, id, signal, findsLater ? undefined : alone)
  await showEnd(id, end, { ...flags, source: calling.source, readStack })
}

/** Throws MeshError E_USAGE. */
const ensureDurable = ({ durable, receipt, local, output }: RunFlags): void => {
  if (!durable) return
  const not = [receipt !== undefined && '--receipt', local && '--local', output !== undefined && '-o'].filter(Boolean)
  if (not.length > 0) throw new MeshError('E_USAGE', `--durable does not go with ${not.join(', ')}`)
}

export const run = async (text: string, inputText: string | undefined, flags: RunFlags): Promise<undefined> => {
  const { signal, dispose } = onInterrupt()
  try {
    ensureWritable(flags.output)
    ensureWritable(flags.receipt)
    traceTicksOf(flags)
    ensureDurable(flags)
    const input = encodeInput(await readInput(inputText))
    await withCalling(text, flags, signal, (calling) =>
      (flags.durable ? runDurably : call)(calling, input, flags, signal),
    )
  } finally {
    dispose()
  }
}
