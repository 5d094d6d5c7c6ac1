/** The hosts on which programs must come out the same. */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SANDBOX_FLAGS } from '../../node/sandbox-host.ts'
import type { RunningBrowser } from '../../scripts/browser/launch.ts'
import { WASM } from '../../scripts/browser/page-server.ts'
import { openWorkerPage } from '../../scripts/browser/worker-page.ts'
import type { Question, Reply } from './program.ts'

export interface Host {
  readonly name: string
  ask(question: Question): Promise<Reply>
  close(): Promise<void>
}

const PROCESS = fileURLToPath(new URL('./perform-process.ts', import.meta.url))

/** The program of another version of Node, which `npm test` installs. */
export const otherNode = (version: 22 | 26): string =>
  fileURLToPath(
    new URL(`../../scripts/node-versions/node_modules/node-${version}-linux-${process.arch}/bin/node`, import.meta.url),
  )

/** A process of the Node at `path`, with the flags that a sandbox's process has. */
export const nodeHost = async (path: string = process.execPath): Promise<Host> => {
  if (!existsSync(path)) throw new Error(`${path} is not installed: npm test installs it`)
  const child = fork(PROCESS, { execPath: path, execArgv: SANDBOX_FLAGS, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaint = ''
  child.stderr?.on('data', (text) => {
    complaint += text
  })
  const exited = once(child, 'exit')
  const ended = exited.then(([code, signal]) => {
    throw new Error(`${path} ended (${signal ?? code}): ${complaint}`)
  })
  ended.catch(() => {})
  return {
    name: `Node ${execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()}`,
    ask: async (question) => {
      child.send(JSON.stringify(question))
      const [reply] = await Promise.race([once(child, 'message'), ended])
      return JSON.parse(reply)
    },
    close: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** A worker of a page in this browser. */
export const browserHost = async (browser: RunningBrowser): Promise<Host> => {
  const wasm = readFileSync(new URL('../quickjs.wasm', import.meta.url))
  const page = await openWorkerPage(browser, new URL('./perform-worker.ts', import.meta.url), {
    '/quickjs.wasm': { type: WASM, body: wasm },
  })
  return {
    name: browser.version,
    ask: async (question) => JSON.parse(await page.ask(JSON.stringify(question))),
    close: () => page.close(),
  }
}
