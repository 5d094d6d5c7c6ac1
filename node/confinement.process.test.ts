import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { NO_FAIL_POINTS } from '../protocol/fail-points.ts'
import type { SandboxProcess } from '../protocol/ports.ts'
import { isAlive } from '../scripts/test/is-alive.ts'
import { confinedStart } from './confinement.ts'
import { createSandboxHost } from './sandbox-host.ts'
import { SharedFrames } from './shared-frames.ts'
import { ATTEMPTS, type Result, type Targets } from './testing/hostile-program.ts'

const PROGRAM = new URL('./testing/hostile-program.ts', import.meta.url)
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SECRET = 'what nobody inside may know'
const VARIABLE = 'WAYSIDE_HOSTILE_TEST'

const folder = mkdtempSync(join(tmpdir(), 'wayside-outside-'))
const targets = { file: join(folder, 'secret'), folder, module: join(folder, 'secret.mjs'), secret: SECRET } as Targets
const shared = new SharedFrames()
const servers: Server[] = []
const udp = createSocket('udp4')
/** What reached the agent from inside. */
let reached: string[] = []
let victim: ChildProcess
let victimSaid = ''

const listen = async (where: { port: number; host: string } | { path: string }): Promise<Server> => {
  const server = createServer((socket) => {
    reached.push('a connection')
    socket.on('error', () => {})
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello')
  })
  servers.push(server)
  server.listen(where)
  await once(server, 'listening')
  return server
}

/** What an agent has open: ports, sockets, a file, its memory; and another process of the same user. */
beforeAll(async () => {
  process.env[VARIABLE] = SECRET
  writeFileSync(targets.file, SECRET)
  writeFileSync(targets.module, `export default ${JSON.stringify(SECRET)}`)
  const { port } = (await listen({ port: 0, host: '127.0.0.1' })).address() as { port: number }
  await listen({ port, host: '::1' })
  const [socket, abstractSocket] = [join(folder, 'agent.sock'), `\0wayside-${process.pid}`]
  await listen({ path: socket })
  await listen({ path: abstractSocket })
  udp.on('message', (data, { port: from, address }) => {
    reached.push('a datagram')
    udp.send(data, from, address)
  })
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  victim = spawn(
    process.execPath,
    ['-e', 'process.on("SIGWINCH", () => console.error("SIGWINCH")); setInterval(() => {}, 1e3); console.error("up")'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  victim.stderr?.on('data', (data) => {
    victimSaid += data
  })
  await vi.waitFor(() => expect(victimSaid).toContain('up'), 60_000)
  const prebuilds = join(ROOT, 'node_modules/classic-level/prebuilds')
  const platform = readdirSync(prebuilds).find((name) => name === `${process.platform}-${process.arch}`)
  const addon = join(prebuilds, platform ?? '', 'classic-level.node')
  const ports = { port, udpPort: udp.address().port, socket, abstractSocket }
  shared.offer(new Uint8Array(9))
  Object.assign(targets, {
    shared: shared.folder as string,
    ...ports,
    agentPid: process.pid,
    victimPid: victim.pid,
    addon,
  })
})

afterAll(() => {
  victim?.kill('SIGKILL')
  for (const server of servers) server.close()
  udp.close()
  rmSync(folder, { recursive: true, force: true })
  delete process.env[VARIABLE]
})

type Attempts = Record<string, Result>

const isRoot = process.getuid?.() === 0
const ALL = Object.keys(ATTEMPTS).filter((name) => isRoot || name !== 'becomes root')

/** A process that runs the program: what it is sent, what it says, its end. */
interface Running {
  send(frame: Uint8Array): void
  receive(handlers: Parameters<SandboxProcess['receive']>[0]): void
  kill(): void
}

/** What the program did in processes that `start` starts: one after another, where an attempt ends one. */
const attemptsIn = async (start: () => Running): Promise<Attempts> => {
  const done: Attempts = {}
  for (;;) {
    const left = ALL.filter((name) => done[name] === undefined)
    if (left.length === 0) return done
    const running = start()
    onTestFinished(() => running.kill())
    const end = await new Promise<string>((resolve) => {
      running.receive({
        frame: (frame) => {
          const [name, result] = JSON.parse(Buffer.from(frame).toString())
          done[name] = result
          if (name === ALL.at(-1)) resolve('it is through')
        },
        exited: resolve,
      })
      running.send(Buffer.from(JSON.stringify({ ...targets, attempts: left })))
    })
    const next = ALL.find((name) => done[name] === undefined)
    if (next) done[next] = { refused: `it ended: ${end}` }
  }
}

const inSandbox = () => createSandboxHost(NO_FAIL_POINTS, PROGRAM).spawn()

/** A process started by a command, as any of this user. */
const startedBy = (file: string, args: readonly string[], options: SpawnOptions) => (): Running => {
  const child = spawn(file, args, options)
  let bytes = Buffer.alloc(0)
  let complaint = ''
  child.stderr?.on('data', (data) => {
    complaint += data
  })
  return {
    send: (frame) => {
      const head = Buffer.alloc(4)
      head.writeUInt32BE(frame.length)
      child.stdin?.write(Buffer.concat([head, frame]))
    },
    receive: ({ frame, exited }) => {
      child.on('close', () => exited(complaint.slice(-500)))
      child.stdout?.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk])
        while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
          const end = 4 + bytes.readUInt32BE()
          if (end > 4) frame(bytes.subarray(4, end))
          bytes = bytes.subarray(end)
        }
      })
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

const succeeded = (attempts: Attempts): string[] => Object.keys(attempts).filter((name) => 'got' in attempts[name]!)

describe.runIf(process.platform === 'linux')('a program that broke out of its engine', () => {
  test('could do all of this to the machine, were it an ordinary process', async () => {
    reached = []
    const secret = openSync(targets.file, 'r')
    const attempts = await attemptsIn(
      startedBy(process.execPath, [fileURLToPath(PROGRAM)], { stdio: ['pipe', 'pipe', 'pipe', secret] }),
    )
    expect(ALL.filter((name) => !succeeded(attempts).includes(name)).map((name) => [name, attempts[name]])).toEqual([])
    expect(attempts['reads a file']).toEqual({ got: SECRET })
    expect(attempts['reads an inherited descriptor']).toEqual({ got: SECRET })
    expect(new Set(reached)).toEqual(new Set(['a connection', 'a datagram']))
    // The last is the end of what it says when a debugger is begun.
    for (const sign of ['SIGWINCH', 'Debugger listening', 'For help, see'])
      await vi.waitFor(() => expect(victimSaid).toContain(sign), 60_000)
    expect(existsSync(join(folder, 'written'))).toBe(true)
  })

  test('can do nothing of it in the process of a sandbox', async () => {
    reached = []
    victimSaid = ''
    const before = readdirSync(folder).sort()
    const attempts = await attemptsIn(inSandbox)
    expect(Object.keys(attempts).sort()).toEqual([...ALL].sort())
    expect(succeeded(attempts).map((name) => [name, attempts[name]])).toEqual([])
    expect([reached, victimSaid, readdirSync(folder).sort()]).toEqual([[], '', before])
    expect(isAlive(targets.victimPid)).toBe(true)
  })

  test('nor by the system alone, if the permissions of Node held nothing', async () => {
    reached = []
    victimSaid = ''
    const before = readdirSync(folder).sort()
    const own = ['node', 'protocol', 'sandbox', 'node_modules', 'package.json'].map((name) => join(ROOT, name))
    const { file, args } = confinedStart({ own, shared: shared.folder }, [fileURLToPath(PROGRAM)])
    const permitting = args.map((arg) => arg.replaceAll(/'--(?:permission|allow-fs-[a-z]+=[^']*)' /g, ''))
    expect(permitting).not.toEqual(args)
    const attempts = await attemptsIn(startedBy(file, permitting, { env: {}, stdio: ['pipe', 'pipe', 'pipe'] }))
    // Inside it may look at itself, and load what is in its own folder.
    const harmless = ['lists the root', 'loads an addon', 'debugs itself', 'opens its own debugger', 'reads by WASI']
    expect(
      succeeded(attempts)
        .filter((name) => !harmless.includes(name))
        .map((name) => [name, attempts[name]]),
    ).toEqual([])
    expect([reached, victimSaid, readdirSync(folder).sort()]).toEqual([[], '', before])
    expect(isAlive(targets.victimPid)).toBe(true)
  })
})

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

/** Prints how sandboxes are held here, and what a function returns in one. */
const REPORT = `
  import { createSandboxPool } from ${url('../sandbox/pool.ts')}
  import { createSandboxHost } from ${url('./sandbox-host.ts')}
  import { systemClock } from ${url('./clock.ts')}
  const sandboxHost = createSandboxHost()
  const pool = createSandboxPool({ sandboxHost, clock: systemClock, log: { event() {} } }, { slots: 1, idleMs: 60_000 })
  const limits = { fuel: 1_000_000, memory_bytes: 0, output_bytes: 100 }
  const run = pool.run({
    ...{ party: 'a', functionId: 'f', code: () => new TextEncoder().encode('export default () => 7'), exportName: 'default' },
    ...{ effects: [], input: Uint8Array.of(0xf6), seed: new Uint8Array(32), limits, journal: [], timeoutMs: 60_000 },
  })
  const { kind, decoded } = await run.result
  console.log(JSON.stringify({ ...(await sandboxHost.confinement()), kind, value: [...decoded.result.value] }))
  await pool.stop()`
const DONE = { kind: 'outcome', value: [7] }

const reportOf = async (...before: string[]) => {
  const [file = '', ...args] = [...before, process.execPath, '--input-type=module', '-e', REPORT]
  const { stdout } = await promisify(execFile)(file, args)
  return JSON.parse(stdout)
}

describe.runIf(process.platform === 'linux')('a machine', () => {
  test('whose users may make namespaces needs no root for it', async () => {
    const user = isRoot ? ['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups'] : []
    expect(await reportOf(...user)).toEqual({ cut_off: true, lacks: null, ...DONE })
  })

  test('whose users may not says what is missing and what to do, and runs functions all the same', async () => {
    const refuse = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --inh-caps=-all --bounding-set=-all "$@"'
    const { lacks, ...rest } = await reportOf('unshare', '--map-root-user', 'sh', '-c', refuse, 'sh')
    expect(rest).toEqual({ cut_off: false, ...DONE })
    expect(lacks).toMatch(
      /^unshare: .* not permitted; `sysctl -w user\.max_user_namespaces=10000` lets users make namespaces$/,
    )
  })
})

/** Takes memory outside of any heap that V8 watches, until it is refused, and says how many MiB it got. */
const EATER = `
  const all = []
  try {
    for (;;) all.push(new WebAssembly.Memory({ initial: 1024, maximum: 1024 }))
  } catch {}
  process.stdout.write(String(64 * all.length))
  for (;;);`

describe.runIf(process.platform === 'linux')('a process of a sandbox', () => {
  const start = (source: string) => {
    const { file, args } = confinedStart({ own: [] }, ['-e', source])
    const child = spawn(file, args, { env: {}, stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  }

  test('gets no more memory than it may have, and is ended though it hears no signal', async () => {
    const child = start(`for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {});${EATER}`)
    const [got] = await once(child.stdout, 'data')
    // A function may have 2048 MiB, which must fit in beside the program itself.
    expect(Number(got)).toBeGreaterThan(2048)
    expect(Number(got)).toBeLessThan(3072)
    child.kill('SIGKILL')
    await once(child.stdout, 'close')
  })

  test('ends with what started it, however that ends', async () => {
    const source = 'process.stdout.write("up"); for (;;);'
    const script = `
      import { confinedStart } from ${url('./confinement.ts')}
      import { spawn } from 'node:child_process'
      const { file, args } = confinedStart({ own: [] }, ['-e', ${JSON.stringify(source)}])
      spawn(file, args, { env: {}, stdio: ['pipe', 'inherit', 'inherit'] })`
    const agent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(agent.stdout, 'data')
    agent.kill('SIGKILL')
    // Its end of the pipe is closed only when nobody has it any more.
    await once(agent.stdout, 'close')
  })
})
