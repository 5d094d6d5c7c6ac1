/** `wayside map`: one call for each input, one line for each result. */
import { MeshError } from '../../protocol/errors.ts'
import { decodeValue, valueToJson } from '../../protocol/values.ts'
import type { BackendMapItem } from '../../sdk/backend.ts'
import { type MapItem, MapStream } from '../../sdk/map-stream.ts'
import { type CallFlags, type Calling, withCalling } from './calling.ts'
import { showGuestStack } from './guest-words.ts'
import { type MapFile, openMapFile } from './map-file.ts'
import { MapProgress, summaryWords } from './map-progress.ts'
import { filesSource, linesSource, type MapInput, type MapSource, rangeSource } from './map-source.ts'
import { ensureWritable } from './output-file.ts'
import { note, onInterrupt, paint, print, printJson, say } from './terminal.ts'

interface MapFlags extends CallFlags {
  range?: string
  files?: string[]
  unordered?: boolean
  failFast?: boolean
  output?: string
  resume?: boolean
}

const sourceOf = (input: string | undefined, { range, files }: MapFlags): Promise<MapSource> | MapSource => {
  const given = [input, range, files].filter((one) => one !== undefined)
  if (given.length !== 1) {
    throw new MeshError(
      'E_USAGE',
      'give the inputs once: a file with one JSON text a line, - for stdin, --range A..B, or --files PATH…',
    )
  }
  if (range !== undefined) return rangeSource(range)
  return files === undefined ? linesSource(input as string) : filesSource(files)
}

/** One line of the output: the index and `value` or `error`; and the stack of what the function threw. */
type Line = { index: number; ok: boolean; text: string; stack: string }

const failedLine = (
  index: number,
  { code, message, stack = '' }: { code: string; message: string; stack?: string },
): Line => ({
  index,
  ok: false,
  stack,
  text: `{"index":${index},"error":${JSON.stringify({ code, message })}}\n`,
})

const lineOf = (item: BackendMapItem, index: number): Line => {
  if ('error' in item) return failedLine(index, item.error)
  const { result } = item.result.outcome
  if (!result.ok) return failedLine(index, result)
  return { index, ok: true, stack: '', text: `{"index":${index},"value":${valueToJson(decodeValue(result.value))}}\n` }
}

interface Work {
  source: MapSource
  calling: Calling
  flags: MapFlags
  file: MapFile | undefined
  signal: AbortSignal
}

/** The inputs that are not finished yet; `note` is told the index of each in turn. */
async function* openInputs(
  { source, file }: Work,
  taken: (index: number) => void,
): AsyncGenerator<Uint8Array | MeshError> {
  for await (const item of source.items()) {
    if (file?.finished.has(item.index)) continue
    taken(item.index)
    yield await readInput(item)
  }
}

const readInput = async (item: MapInput): Promise<Uint8Array | MeshError> => {
  try {
    return await item.read()
  } catch (cause) {
    if (cause instanceof MeshError) return cause
    throw cause
  }
}

const ensureInput = (input: unknown): Uint8Array => {
  if (input instanceof Uint8Array) return input
  throw input
}

/** Lines in the order of the inputs, or as they come. */
async function* linesOf(work: Work, progress: MapProgress): AsyncGenerator<Line> {
  const { calling, flags, signal } = work
  /** By the number of the item in this run: its index among all inputs. */
  const indices: number[] = []
  const unordered = flags.unordered ?? false
  const stream = new MapStream({
    inputs: openInputs(work, (index) => indices.push(index)),
    encode: ensureInput,
    run: (inputs) =>
      calling.backend.map({
        ...calling.request,
        inputs,
        unordered,
        signal,
        onWait: (reason) => progress.waits(reason),
      }),
    read: (item, index) => {
      if ('result' in item) progress.result(item.result)
      return { ok: true, index, value: lineOf(item, indices[index] as number) }
    },
    unordered,
  })
  signal.addEventListener('abort', () => stream.fail(new MeshError('E_CANCELLED', 'the caller cancelled')))
  for await (const item of stream.items() as AsyncIterable<MapItem<Line>>) {
    yield item.ok ? item.value : failedLine(indices[item.index] as number, item.error)
  }
}

const writeLine = async (line: Line, file: MapFile | undefined, progress: MapProgress): Promise<void> => {
  if (file) return file.write(line.text)
  if (process.stdout.isTTY) progress.clear()
  await print(line.text)
}

const mapAll = async (work: Work): Promise<number> => {
  const { source, calling, file, flags, signal } = work
  const failedBefore = [...(file?.finished.values() ?? [])].filter((failed) => failed).length
  const progress = new MapProgress(source.total, file?.finished.size ?? 0)
  let firstFailure: Line | undefined
  try {
    for await (const line of linesOf(work, progress)) {
      await writeLine(line, file, progress)
      progress.item(line.ok)
      if (line.ok) continue
      firstFailure ??= line
      if (flags.failFast) break
    }
    if (!(flags.failFast && firstFailure)) file?.finish()
  } finally {
    const summary = progress.end()
    if (!signal.aborted) note(summaryWords(summary))
    else if (file) note(`what is done stands in ${flags.output}; go on with --resume`)
    if (flags.json) await (flags.output === undefined ? say(JSON.stringify(summary)) : printJson(summary))
  }
  if (firstFailure) {
    say(`${paint('red', 'first failure')} ${firstFailure.text.trim()}`)
    showGuestStack(calling.readStack(firstFailure.stack))
  }
  return firstFailure || failedBefore > 0 ? 1 : 0
}

const openOutput = async (
  source: MapSource,
  { request }: Calling,
  { output, resume }: MapFlags,
): Promise<MapFile | undefined> => {
  if (output === undefined) {
    if (resume) throw new MeshError('E_USAGE', '--resume goes on with the file of -o; name it')
    return undefined
  }
  const input = await source.identify()
  if (resume && input === null)
    throw new MeshError('E_USAGE', 'inputs from stdin cannot be resumed: they are gone; give a file')
  const work = { function: request.function, export: request.export, input, limits: request.limits }
  const file = openMapFile(output, work, resume ?? false)
  if (file.finished.size > 0) note(`${output} has ${file.finished.size} finished lines; going on with the rest`)
  return file
}

/** Exit status 1 if any item failed. */
export const map = async (text: string, input: string | undefined, flags: MapFlags): Promise<number> => {
  const { signal, dispose } = onInterrupt()
  try {
    ensureWritable(flags.output)
    const source = await sourceOf(input, flags)
    return await withCalling(text, flags, signal, async (calling) => {
      const file = await openOutput(source, calling, flags)
      return mapAll({ source, calling, flags, file, signal })
    })
  } finally {
    dispose()
  }
}
