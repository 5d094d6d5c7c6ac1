/**
 * Three etcd nodes in a folder of their own, which end with its own input: so they end with the test that started them, also
 * when that is killed. Arguments: the client's port and the peers' port of each node. A line `N` of its input starts node N,
 * again too. It prints a line of JSON for each start and each end of a node.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type KeeperLine = { node: number; pid: number } | { node: number; ended: string }

const COMPLAINT_CHARS_MAX = 2000
const HOST = 'http://127.0.0.1'
/** Short, so that a leader that is lost is replaced within a second. */
const TIMES = ['--heartbeat-interval', '50', '--election-timeout', '500']

const ports = process.argv.slice(2).map(Number)
const nodes = ports.length / 2
const clientUrl = (node: number) => `${HOST}:${ports[node]}`
const peerUrl = (node: number) => `${HOST}:${ports[nodes + node]}`
const cluster = Array.from({ length: nodes }, (_, node) => `n${node}=${peerUrl(node)}`).join(',')

const folder = mkdtempSync(join(tmpdir(), 'wayside-etcd-'))
const running = new Map<number, ChildProcess>()
let ending = false

const say = (line: KeeperLine) => process.stdout.write(`${JSON.stringify(line)}\n`)

const endIfAllEnded = () => {
  if (!ending || running.size > 0) return
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}

const start = (node: number) => {
  const urls = ['--listen-client-urls', clientUrl(node), '--advertise-client-urls', clientUrl(node)]
  const peerUrls = ['--listen-peer-urls', peerUrl(node), '--initial-advertise-peer-urls', peerUrl(node)]
  const identity = ['--name', `n${node}`, '--data-dir', join(folder, `n${node}`), '--initial-cluster', cluster]
  const args = [...identity, ...urls, ...peerUrls, ...TIMES, '--log-level', 'error', '--logger', 'zap']
  const child = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder })
  running.set(node, child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-COMPLAINT_CHARS_MAX)
  })
  const ended = (reason: string) => {
    running.delete(node)
    say({ node, ended: `etcd ended (${reason}): ${said}` })
    endIfAllEnded()
  }
  child.on('error', (error) => ended(error.message))
  child.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
  if (child.pid !== undefined) say({ node, pid: child.pid })
}

const end = () => {
  ending = true
  for (const child of running.values()) child.kill('SIGKILL')
  endIfAllEnded()
}

createInterface(process.stdin)
  .on('line', (line) => start(Number(line)))
  .on('close', end)
// Whoever printed to is gone: so is the test.
process.stdout.on('error', end)
process.on('SIGINT', end).on('SIGTERM', end)
