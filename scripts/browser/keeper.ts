/**
 * Starts a browser and ends it with its own input: so it ends with the test that started it, also when that is killed.
 * Arguments: the browser's name, and `ProfileOptions` as JSON. Prints one line of JSON when the browser takes orders, or why
 * it did not.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserName, profileFor } from './profiles.ts'

export type KeeperLine = { pid: number; endpoint: string } | { failed: string }

const COMPLAINT_CHARS_MAX = 4000

const folder = mkdtempSync(join(tmpdir(), 'wayside-browser-'))
const [name, options = '{}'] = process.argv.slice(2)
const { command, args, listening, path } = profileFor(name as BrowserName, folder, JSON.parse(options))
// Firefox writes beside its profile too.
const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder }
const browser = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })

const say = (line: KeeperLine) => process.stdout.write(`${JSON.stringify(line)}\n`)

let said = ''
let ready = false
browser.stderr.setEncoding('utf8').on('data', (text: string) => {
  if (ready) return
  said += text
  const url = listening.exec(said)?.groups?.url
  if (url === undefined) return
  ready = true
  say({ pid: browser.pid as number, endpoint: url + path })
})

const ended = (reason: string) => {
  if (!ready) say({ failed: `${command} ended (${reason}): ${said.slice(-COMPLAINT_CHARS_MAX)}` })
  // Its other processes end as they notice, and may write until then.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  process.exit(0)
}
browser.on('error', (error) => ended(error.message))
browser.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`))

const end = () => void browser.kill('SIGKILL')
process.stdin.on('end', end).resume()
process.on('SIGINT', end).on('SIGTERM', end)
