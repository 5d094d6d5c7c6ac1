/**
 * What would run in a sandbox process if a guest broke out of its engine: it tries all that it can do to the machine.
 * Started in place of `sandbox-process.ts`, or by Node itself to show that each attempt does something. Reads one frame,
 * its Targets, and answers with one for each attempt, since some end it where they are not let.
 */
import { execFileSync, fork, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import fs from 'node:fs'
import inspector from 'node:inspector'
import { createRequire } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { WASI } from 'node:wasi'
import { Worker } from 'node:worker_threads'

/** What there is to reach outside. */
export interface Targets {
  /** A file with the text of `secret`, its folder, and a module that exports it. */
  file: string
  folder: string
  module: string
  secret: string
  port: number
  udpPort: number
  socket: string
  abstractSocket: string
  /** The agent, and another process of the same user. */
  agentPid: number
  victimPid: number
  /** A folder of SharedFrames. */
  shared: string
  /** A native addon. */
  addon: string
  /** What to try, in this order. */
  attempts: readonly string[]
}

/** What an attempt got, or what it was refused with. */
export type Result = { got: string } | { refused: string }

type Attempt = (targets: Targets) => unknown

// biome-ignore lint/suspicious/noExplicitAny: raw bindings have no types.
const binding = (name: string): any => (process as any).binding(name)

const answered = (socket: net.Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer')))
    socket.once('data', (data) => resolve(String(data))).once('error', reject)
  })

const echoed = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const end = (act: () => void) => {
      clearTimeout(timer)
      socket.close()
      act()
    }
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), 500)
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('message', (data) => end(() => resolve(String(data))))
    socket.send('x', port, '127.0.0.1')
  })

const inWorker = (source: string, workerData: unknown): Promise<string> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, execArgv: [], workerData })
    worker.once('message', resolve).once('error', reject)
  })

const descriptors = (): number[] => {
  const open: number[] = []
  for (let fd = 3; fd < 256; fd++)
    try {
      if (fs.fstatSync(fd).isFile()) open.push(fd)
    } catch {}
  return open
}

/** Opens what is written to from outside: the memory of another process. */
const openMemory = (pid: number) => {
  fs.closeSync(fs.openSync(`/proc/${pid}/mem`, 'r+'))
  return 'opened'
}

const must = (status: unknown): string => {
  if (status !== 0) throw new Error(`status ${status}`)
  return 'done'
}

export const ATTEMPTS: Record<string, Attempt> = {
  'reads a file': ({ file }) => fs.readFileSync(file, 'utf8'),
  'reads a file by a promise': async ({ file }) => (await fs.promises.readFile(file)).toString(),
  'opens a file with a raw binding': ({ file }) => {
    const fd = binding('fs').open(file, 0, 0o666)
    if (typeof fd !== 'number') throw new Error('no descriptor')
    return fs.readFileSync(fd, 'utf8')
  },
  'reads a file as a blob': async ({ file }) => (await fs.openAsBlob(file)).text(),
  'copies a file to where it reads': ({ file, folder }) => {
    fs.copyFileSync(file, join(folder, 'copy'))
    return 'copied'
  },
  'loads a module': async ({ module }) => (await import(module)).default,
  'requires a module': ({ module }) => createRequire('/')(module).default,
  'lists a folder': ({ folder }) => fs.readdirSync(folder).join(),
  'lists what is shared with other sandboxes': ({ shared }) => {
    fs.chmodSync(shared, 0o700)
    return fs.readdirSync(shared).join()
  },
  'lists the root': () => fs.readdirSync('/').join(),
  'writes a file': ({ folder }) => fs.writeFileSync(join(folder, 'written'), 'x') ?? 'written',
  'appends with a raw binding': ({ folder }) => {
    fs.closeSync(binding('fs').open(join(folder, 'appended'), 0o2101, 0o666))
    return 'opened'
  },
  'makes a link out': ({ folder, file }) => fs.symlinkSync(file, join(folder, 'link')) ?? 'made',
  'makes a temporary folder': () => fs.mkdtempSync(join(os.tmpdir(), 'hostile-')),
  'opens a database': async ({ folder }) => {
    const { DatabaseSync } = await import('node:sqlite')
    new DatabaseSync(join(folder, 'database')).exec('create table t (x)')
    return 'made'
  },
  'writes a report': ({ folder }) => {
    process.report.writeReport(join(folder, 'report.json'))
    return fs.statSync(join(folder, 'report.json')).size
  },
  'reads by WASI': ({ folder }) => {
    new WASI({ version: 'preview1', preopens: { '/': folder } })
    return 'opened'
  },
  'finds itself in /proc': () => fs.readFileSync('/proc/self/status', 'utf8').slice(0, 20),
  'reads the environment of the agent': ({ agentPid }) => fs.readFileSync(`/proc/${agentPid}/environ`).length,
  'opens the memory of the agent': ({ agentPid }) => openMemory(agentPid),
  'opens the memory of another process': ({ victimPid }) => openMemory(victimPid),
  'opens the descriptors of the agent': ({ agentPid }) => fs.readdirSync(`/proc/${agentPid}/fd`).length,
  'opens a device': () => fs.closeSync(fs.openSync('/dev/null', 'r+')) ?? 'opened',
  'connects to a port of the agent': ({ port }) => answered(net.connect(port, '127.0.0.1')),
  'connects by IPv6': ({ port }) => answered(net.connect(port, '::1')),
  'connects by name': ({ port }) => answered(net.connect(port, 'localhost')),
  'connects with a raw binding': ({ port }) => {
    const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap')
    const socket = new TCP(constants.SOCKET)
    const request = new TCPConnectWrap()
    return new Promise((resolve, reject) => {
      request.oncomplete = (status: number) => (status === 0 ? resolve('connected') : reject(new Error(`${status}`)))
      const status = socket.connect(request, '127.0.0.1', port)
      if (status !== 0) reject(new Error(`${status}`))
    })
  },
  'fetches from the agent': async ({ port }) => (await fetch(`http://127.0.0.1:${port}`)).text(),
  'connects to a socket of the agent': ({ socket }) => answered(net.connect(socket)),
  'connects to a socket without a file': ({ abstractSocket }) => answered(net.connect(abstractSocket)),
  'sends a datagram': ({ udpPort }) => echoed(udpPort),
  'knows the addresses of the machine': () => {
    const up = Object.keys(os.networkInterfaces()).join()
    if (up === '') throw new Error('none')
    return up
  },
  'starts a program': () => execFileSync(process.execPath, ['-p', '1+1'], { encoding: 'utf8' }),
  'starts a shell': () => must(spawnSync('/bin/sh', ['-c', 'exit 0']).status),
  'starts a program and waits': () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
      child.once('exit', resolve).once('error', reject)
    }),
  'forks itself': ({ module }) =>
    new Promise((resolve, reject) => {
      fork(module, { execArgv: [], stdio: 'ignore' }).once('exit', resolve).once('error', reject)
    }),
  'starts a program with a raw binding': () => {
    const stdio = [0, 1, 2].map(() => ({ type: 'ignore' }))
    const { error, status } = binding('spawn_sync').spawn({
      ...{ file: process.execPath, args: [process.execPath, '-e', '0'], envPairs: [], stdio },
    })
    return error ? must(error) : must(status)
  },
  'starts a worker': ({ file }) =>
    inWorker(
      `const { parentPort, workerData } = require('node:worker_threads')
      parentPort.postMessage(require('node:fs').readFileSync(workerData, 'utf8'))`,
      file,
    ),
  'signals the agent': ({ agentPid }) => process.kill(agentPid, 0),
  'signals its parent': () => {
    if (process.ppid <= 1) throw new Error('it has none')
    return process.kill(process.ppid, 0)
  },
  'signals another process': ({ victimPid }) => process.kill(victimPid, 'SIGWINCH'),
  'opens the debugger of another process': ({ victimPid }) => {
    // biome-ignore lint/suspicious/noExplicitAny: an internal of Node.
    ;(process as any)._debugProcess(victimPid)
    return 'asked'
  },
  'slows another process down': ({ victimPid }) => os.setPriority(victimPid, 19) ?? 'slowed',
  'opens its own debugger': () => {
    inspector.open(0, '127.0.0.1')
    const url = inspector.url()
    inspector.close()
    if (!url) throw new Error('no debugger')
    return url
  },
  'debugs itself': () => {
    const session = new inspector.Session()
    session.connect()
    session.disconnect()
    return 'connected'
  },
  'loads an addon': ({ addon }) => {
    process.dlopen({ exports: {} }, addon)
    return 'loaded'
  },
  'reads an inherited descriptor': () => {
    const [fd] = descriptors()
    if (fd === undefined) throw new Error('there is none')
    return fs.readFileSync(fd, 'utf8')
  },
  'reads an environment': () => {
    const { WAYSIDE_HOSTILE_TEST } = process.env
    if (WAYSIDE_HOSTILE_TEST === undefined) throw new Error(`it has ${Object.keys(process.env).length} variables`)
    return WAYSIDE_HOSTILE_TEST
  },
  'becomes root': () => {
    process.setuid?.(0)
    process.setgid?.(0)
    fs.chownSync(os.tmpdir(), fs.statSync(os.tmpdir()).uid, fs.statSync(os.tmpdir()).gid)
    return 'root'
  },
}

const send = (bytes: Uint8Array): void => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  fs.writeSync(1, Buffer.concat([head, bytes]))
}

const receive = async (): Promise<Targets> => {
  let bytes = Buffer.alloc(0)
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) break
  }
  return JSON.parse(bytes.subarray(4).toString())
}

const perform = async (attempt: Attempt, targets: Targets): Promise<Result> => {
  try {
    return { got: String(await attempt(targets)) }
  } catch (error) {
    return { refused: String((error as Error)?.message ?? error).slice(0, 200) }
  }
}

const main = async () => {
  send(Buffer.alloc(0))
  const targets = await receive()
  process.on('uncaughtException', () => {})
  for (const name of targets.attempts) {
    const result = await perform(ATTEMPTS[name] as Attempt, targets)
    send(Buffer.from(JSON.stringify([name, result])))
  }
  setInterval(() => {}, 1000)
}

if (process.argv.some((arg) => arg.includes('hostile-program'))) await main()
