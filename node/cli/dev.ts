/** `wayside dev`: a server on loopback; each request is one call of the function's fetch handler. */
import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { MeshError } from '../../protocol/errors.ts'
import { answerOf, consoleOf, encodeInput } from '../../sdk/answer.ts'
import type { BackendResult } from '../../sdk/backend.ts'
import { fn } from '../../sdk/fn.ts'
import { ensureResponse, type RequestValue, type ResponseValue } from '../dev/exchange.ts'
import { Live } from '../dev/live.ts'
import { type Notice, pageOf } from '../dev/page.ts'
import { type Handler, serve } from '../dev/server.ts'
import { plainText } from '../plain-text.ts'
import type { sdkHost } from '../sdk-host.ts'
import { shortId } from '../short-id.ts'
import { bundleAloud, type CallFlags, type Calling, type Publish, withPublish } from './calling.ts'
import { showConsole, showGuestStack } from './guest-words.ts'
import { note, onInterrupt, paint, say } from './terminal.ts'
import { countWords } from './words.ts'

interface DevFlags extends CallFlags {
  port?: string
}

const PORT_DEFAULT = 8787

const readPort = (text: string | undefined): number => {
  if (text === undefined) return PORT_DEFAULT
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new MeshError('E_USAGE', `--port: expected a number from 0 to 65535, found "${text}"`)
}

const readSource = (text: string): string => {
  const { source, export: exportName } = fn(text)
  if (exportName !== 'default')
    throw new MeshError('E_USAGE', `dev serves the default export of a file; leave out #${exportName}`)
  if (statSync(source, { throwIfNoEntry: false })?.isFile()) return source
  throw new MeshError('E_BUNDLE', `${source}: no file has that name; name the one that exports default { fetch }`)
}

/** What a person is told of a failure, on the page and in the terminal. */
const noticeOf = ({ code, message, fields: { stack } }: MeshError): Notice => {
  const [title = '', ...details] = message.split('\n')
  const status = code === 'E_TIMEOUT' ? 504 : code === 'E_NO_PEER' || code === 'E_NO_MEMORY' ? 503 : 500
  return { status, code, title, details: details.join('\n'), stack: typeof stack === 'string' ? stack : '' }
}

const showFailure = ({ code, title, details, stack }: Notice): void => {
  say(`${paint(['red', 'bold'], 'error')} ${paint('bold', code ?? '')}: ${title}`)
  if (details) note(details)
  if (stack) showGuestStack(stack)
}

const STATUS_STYLES = ['reset', 'reset', 'green', 'cyan', 'yellow', 'red'] as const
const PATH_CHARS_SHOWN = 120

const shownPath = (url: string): string => {
  const path = plainText(url.replace(/^http:\/\/[^/]*/, ''))
  return path.length > PATH_CHARS_SHOWN ? `${path.slice(0, PATH_CHARS_SHOWN)}…` : path
}

/** `GET /path 200 3 ms, 41,203 fuel`. */
const showExchange = (method: string, url: string, status: number, rest = ''): void => {
  const shown = paint(STATUS_STYLES[Math.floor(status / 100)] ?? 'reset', `${status}`)
  say(`${method} ${shownPath(url)} ${shown}${paint('dim', rest)}`)
}

const costWords = (tookMs: number, result: BackendResult | undefined): string => {
  const where = result && !result.local ? `, on ${shortId(result.executors[0] ?? '')}` : ''
  return ` ${Math.round(tookMs)} ms${result ? `, ${countWords(result.outcome.fuel)} fuel${where}` : ''}`
}

type Called = { response: ResponseValue; result?: BackendResult } | { notice: Notice; result?: BackendResult }

/** One invocation. What the function printed is shown; what it threw is not yet. */
const call = async (calling: Calling, request: RequestValue, signal: AbortSignal): Promise<Called> => {
  let result: BackendResult | undefined
  try {
    const input = encodeInput(request)
    result = await calling.backend.call({ ...calling.request, input, signal, receipt: false, onWait: note })
    showConsole(consoleOf(result.outcome, calling.readStack), calling.source)
    return { response: ensureResponse(answerOf(result.outcome, calling.readStack)), result }
  } catch (cause) {
    const error = cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String(cause), { cause })
    return { notice: noticeOf(error), ...(result && { result }) }
  }
}

/** `ended`: the server is being closed. */
const createHandler = (live: Live<Calling>, ended: AbortSignal): Handler => ({
  refused: showExchange,
  answer: async (request, signal) => {
    const { current } = live
    const startedMs = performance.now()
    const called: Called =
      current instanceof MeshError ? { notice: noticeOf(current) } : await call(current, request, signal)
    const accept = request.headers.find(([name]) => name === 'accept')?.[1]
    const response = 'response' in called ? called.response : pageOf(accept, called.notice)
    const tookMs = performance.now() - startedMs
    if (signal.aborted) {
      if (!ended.aborted) note(`${request.method} ${shownPath(request.url)} given up after ${Math.round(tookMs)} ms`)
      return response
    }
    showExchange(request.method, request.url, response.status, costWords(tookMs, called.result))
    // A build that failed was shown when it did.
    if ('notice' in called && !(current instanceof MeshError)) showFailure(called.notice)
    return response
  },
})

const isSame = (now: Calling | MeshError, before: Calling | MeshError | undefined): boolean => {
  if (now instanceof MeshError) return before instanceof MeshError && before.message === now.message
  return before !== undefined && !(before instanceof MeshError) && before.request.function === now.request.function
}

/** In the sandbox here nothing needs to be checked, and nothing is answered from the memo. */
const startLive = (source: string, publish: Publish, remote: boolean): Promise<Live<Calling>> =>
  Live.start<Calling>({
    entry: resolve(source),
    make: async () => {
      let files: readonly string[] = []
      const bundle: typeof sdkHost.bundle = async (from) => {
        const built = await bundleAloud(from)
        files = built.files
        return built
      }
      const calling = await publish(source, bundle)
      const request = remote ? calling.request : { ...calling.request, verify: 'none' }
      return { made: { ...calling, request }, files }
    },
    changed: (now, before, tookMs) => {
      if (isSame(now, before)) return
      if (now instanceof MeshError) showFailure(noticeOf(now))
      else if (before) note(`rebuilt ${basename(source)} in ${Math.round(tookMs)} ms`)
    },
  })

/** Ends with Ctrl-C, and then with 130 as other commands do. */
export const dev = async (text: string, flags: DevFlags): Promise<number> => {
  const port = readPort(flags.port)
  const source = readSource(text)
  const remote = flags.remote ?? false
  const { signal, aborted, dispose } = onInterrupt()
  try {
    await withPublish({ ...flags, local: !remote }, signal, async (publish) => {
      const live = await startLive(source, publish, remote)
      const server = await serve(port, createHandler(live, signal))
      const where = remote ? 'on the mesh' : 'in the sandbox of this machine'
      say(`serving ${source} at ${paint('cyan', `http://localhost:${server.port}`)}, ${where}; Ctrl-C ends it`)
      await aborted
      server.close()
      live.close()
    })
  } finally {
    dispose()
  }
  return 130
}
