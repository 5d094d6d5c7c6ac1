import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { inputsOf } from '../../peer/inputs.ts'
import { rawCid } from '../../protocol/cid.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Grants } from '../../protocol/grants.ts'
import { OUTPUT_BYTES_MAX } from '../../protocol/limits.ts'
import { decodeValue, encodeValue } from '../../protocol/values.ts'
import type { BackendMap, BackendMapItem } from '../../sdk/backend.ts'
import { CID_TEXT, FakeBackend, okOutcome, outcomeOf } from '../../sdk/fake-backend.ts'
import { createCrypto } from '../crypto.ts'
import { createControlBackend } from './backend.ts'
import { connectAgent } from './client.ts'
import { readEndpoint } from './endpoint.ts'
import { FrameSocket } from './frame-socket.ts'
import {
  AgentFrame,
  CONTROL_FRAME_BYTES_MAX,
  CONTROL_VERSION,
  CommandFrame,
  PROOFS_BYTES_MAX,
  WINDOW_BYTES,
} from './frames.ts'
import { CONNECTIONS_MAX, CONTROL_UNREAD_BYTES_MAX, startControlServer } from './server.ts'
import { type AgentControls, REQUESTS_MAX } from './session.ts'

const directory = (): string => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-control-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  return data
}

const serve = async (given: Partial<AgentControls>) => {
  const data = directory()
  const controls: AgentControls = {
    backend: new FakeBackend(),
    status: async () => ({ pid: 1 }),
    invite: async (lifeMs) => ({ ticket: 'wayside1', expires_ms: lifeMs }),
    mesh: () => ({ name: 'home' }),
    revoke: vi.fn(async () => {}),
    pause: vi.fn(),
    resume: vi.fn(),
    down: vi.fn(),
    state: () => {
      throw new MeshError('E_NO_HOME', 'no state is kept here')
    },
    async *logs() {},
    ...given,
  }
  const server = await startControlServer(data, controls)
  onTestFinished(() => server.close())
  const client = await connectAgent(data)
  onTestFinished(() => client.close())
  return { data, server, client, controls, backend: createControlBackend(client) }
}

const options = { verify: 'self', timeoutMs: 1000, remote: false }
const work = { function: CID_TEXT, export: 'default', ...options }
/** Gives each input back, one after another. */
class EchoBackend extends FakeBackend {
  override async *map(map: BackendMap): AsyncGenerator<BackendMapItem[]> {
    this.maps.push(map)
    let index = 0
    for (let inputs = await map.inputs.take(8); inputs.length > 0; inputs = await map.inputs.take(8))
      yield inputs.map((value) => ({ index: index++, result: echoOf(value) }))
  }
}

const echoOf = (value: Uint8Array) => ({
  outcome: outcomeOf({ ok: true, value }),
  executors: ['one'],
  local: false,
  memo: false,
  verification: { by: 'none', independence: 'none', verifiers: 0 } as const,
  executions: 1,
  recovered: 0,
  disputes: [],
})

const numbered = async function* (count: number, bytes = 1) {
  for (let i = 0; i < count; i++) yield encodeValue(bytes === 1 ? i : new Uint8Array(bytes).fill(i))
}

describe('the owner’s commands', () => {
  test('are told which delegations stand, as they are', async () => {
    const all = { caller: undefined, home: undefined, function: undefined, namespaces: undefined, effects: [] }
    const one = { id: CID_TEXT, ...all, fuel: 1, expiresMs: 5, isRevoked: true, running: 2 }
    const other = { ...one, caller: 'a', home: 'b', function: CID_TEXT, namespaces: ['shop'], isRevoked: false }
    const fake = new FakeBackend()
    fake.standing.push(one, { ...other, effects: ['get', 'put'] })
    const { backend } = await serve({ backend: fake })
    expect(await backend.durable.delegations()).toEqual({ standing: fake.standing, missing: [] })
  })

  test('reach the agent and are answered', async () => {
    const { client, controls } = await serve({ status: async () => ({ pid: 7, ratio: 0.5, none: null }) })
    expect((await client.ask({ t: 'status' }, 'status')).status).toEqual({ pid: 7, ratio: 0.5, none: null })
    await client.ask({ t: 'pause', duration_ms: 5 }, 'done')
    await client.ask({ t: 'pause', duration_ms: null }, 'done')
    await client.ask({ t: 'resume' }, 'done')
    await client.ask({ t: 'down' }, 'done')
    expect(controls.resume).toHaveBeenCalledOnce()
    expect(vi.mocked(controls.pause).mock.calls).toEqual([[5], [undefined]])
    expect(controls.down).toHaveBeenCalledOnce()
  })

  test('fail with the agent’s own error', async () => {
    const status = async () => {
      throw new MeshError('E_STORAGE', 'the disk is gone')
    }
    const { client } = await serve({ status })
    await expect(client.ask({ t: 'status' }, 'status')).rejects.toMatchObject({
      code: 'E_STORAGE',
      message: 'the disk is gone',
    })
  })

  test('stop waiting when the agent goes', async () => {
    const { client, server } = await serve({ status: () => new Promise(() => {}) })
    const asked = expect(client.ask({ t: 'status' }, 'status')).rejects.toMatchObject({ code: 'E_AGENT_NOT_RUNNING' })
    await server.close()
    await asked
    await expect(client.ask({ t: 'status' }, 'status')).rejects.toMatchObject({ code: 'E_AGENT_NOT_RUNNING' })
  })
})

describe('calls', () => {
  test('come back whole, with their receipts and disputes', async () => {
    const fake = new FakeBackend((input) => okOutcome([input, 2n ** 60n]))
    const manifest = { ...(await fake.manifest()), code: [rawCid(createCrypto(), new Uint8Array([1]))] }
    Object.assign(fake, { manifest: async () => manifest })
    const { backend } = await serve({ backend: fake })
    const code = new Uint8Array([1, 2, 3])
    const limits = { fuel: 1, memory_bytes: 2, output_bytes: 3 }
    const bundle = {
      name: 'f',
      code,
      exports: ['default'],
      effects: ['call' as const],
      env: [{ name: 'DB', kind: 'state' as const }],
      limits,
    }
    expect(await backend.publish(bundle)).toEqual({ cid: CID_TEXT, manifest })
    expect(await backend.manifest(CID_TEXT)).toEqual(manifest)
    expect(fake.published).toEqual([{ ...bundle, tier: 'javascript', modules: [] }])
    const grants: Grants = { DB: { state: 'shop', prefix: 'a/', requests: 5 } }
    const result = await backend.call({ ...work, input: encodeValue('Ada'), receipt: true, limits, grants })
    expect(fake.calls.map((one) => one.grants)).toEqual([grants])
    expect(result).toMatchObject({ executors: ['one', 'two'], local: false, executions: 3, recovered: 1 })
    expect(result.outcome.result.ok && decodeValue(result.outcome.result.value)).toEqual(['Ada', 2n ** 60n])
    expect(result.receiptFile).toBeInstanceOf(Uint8Array)
  })

  test('bring the proofs of disputes, as far as there is room for them', async () => {
    const fake = new FakeBackend()
    const call = fake.call.bind(fake)
    const dispute = (liar: string, proof?: Uint8Array) => {
      return { liar, wrong: Uint8Array.of(1), right: Uint8Array.of(2), ...(proof && { proof }) }
    }
    const largest = new Uint8Array(PROOFS_BYTES_MAX).fill(7)
    const disputes = [dispute('none'), dispute('large', largest), dispute('one too many', Uint8Array.of(3))]
    fake.call = async (wanted) => ({ ...(await call(wanted)), disputes })
    const { backend } = await serve({ backend: fake })
    const result = await backend.call({ ...work, input: encodeValue(1), receipt: true })
    expect(result.disputes.map(({ liar, proof }) => [liar, proof?.length])).toEqual([
      ['none', undefined],
      ['large', PROOFS_BYTES_MAX],
      ['one too many', undefined],
    ])
    expect(result.disputes[0]).toEqual(dispute('none'))
  })

  test('of full size pass, a thousand at once too', async () => {
    const { backend } = await serve({ backend: new FakeBackend((input) => okOutcome(input)) })
    const large = encodeValue(new Uint8Array(OUTPUT_BYTES_MAX - 16))
    const results = await Promise.all([
      backend.call({ ...work, input: large, receipt: false }),
      ...Array.from({ length: 1000 }, (_, i) => backend.call({ ...work, input: encodeValue(i), receipt: false })),
    ])
    expect(results.map(({ outcome }) => outcome.result.ok && outcome.result.value.length)[0]).toBe(large.length)
    expect(
      results.slice(1).every(({ outcome }, i) => outcome.result.ok && decodeValue(outcome.result.value) === i),
    ).toBe(true)
  })

  test('that are cancelled, or whose command is gone, are cancelled at the agent', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const backend = new FakeBackend((_, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    const { client, backend: remote } = await serve({ backend })
    const abort = new AbortController()
    const first = remote.call({ ...work, input: encodeValue(1), receipt: false, signal: abort.signal })
    const second = remote.call({ ...work, input: encodeValue(2), receipt: false })
    second.catch(() => {})
    await vi.waitFor(() => expect(signals).toHaveLength(2), 20_000)
    abort.abort()
    await expect(first).rejects.toMatchObject({ code: 'E_CANCELLED' })
    await vi.waitFor(() => expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]), 20_000)
    client.close()
    await vi.waitFor(() => expect(signals[1]?.aborted).toBe(true), 20_000)
  })

  test('under way when the agent goes are unreachable', async () => {
    const { backend, server } = await serve({ backend: new FakeBackend(() => new Promise(() => {})) })
    const gone = { code: 'E_UNREACHABLE' }
    const call = expect(backend.call({ ...work, input: encodeValue(1), receipt: false })).rejects.toMatchObject(gone)
    const items = backend.map({ ...work, inputs: inputsOf(numbered(3)), unordered: false })[Symbol.asyncIterator]()
    const mapped = expect(items.next()).rejects.toMatchObject(gone)
    await server.close()
    await Promise.all([call, mapped])
  })

  test('say what they wait for', async () => {
    const backend = new FakeBackend()
    const call = backend.call.bind(backend)
    backend.call = (wanted) => {
      wanted.onWait?.('waiting for a peer')
      return call(wanted)
    }
    const { backend: remote } = await serve({ backend })
    const reasons: string[] = []
    await remote.call({ ...work, input: encodeValue(1), receipt: false, onWait: (reason) => reasons.push(reason) })
    expect(reasons).toEqual(['waiting for a peer'])
  })
})

describe('maps', () => {
  test('of 20,000 items come back in order', async () => {
    const { backend } = await serve({ backend: new EchoBackend() })
    let next = 0
    for await (const items of backend.map({ ...work, inputs: inputsOf(numbered(20_000)), unordered: false })) {
      for (const item of items) {
        if (!('result' in item) || !item.result.outcome.result.ok) throw new Error('an item failed')
        if (decodeValue(item.result.outcome.result.value) !== next || item.index !== next)
          throw new Error('out of order')
        next++
      }
    }
    expect(next).toBe(20_000)
  })

  test('whose results nobody reads stop the agent from pulling inputs, and others are not held up', async () => {
    const { backend } = await serve({ backend: new EchoBackend() })
    const KIB_64 = 64 * 1024
    let pulled = 0
    const inputs = async function* () {
      for await (const input of numbered(500, KIB_64)) {
        pulled++
        yield input
      }
    }
    const items = backend.map({ ...work, inputs: inputsOf(inputs()), unordered: false })[Symbol.asyncIterator]()
    let count = (await items.next()).value.length
    await vi.waitFor(async () => {
      const before = pulled
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(pulled).toBe(before)
    }, 20_000)
    expect(pulled * KIB_64).toBeLessThan(4 * WINDOW_BYTES)
    expect((await backend.call({ ...work, input: encodeValue(1), receipt: false })).local).toBe(false)
    for (let next = await items.next(); !next.done; next = await items.next()) count += next.value.length
    expect(count).toBe(500)
  })

  test('that nobody reads on are ended at the agent', async () => {
    const echo = new EchoBackend()
    const { backend } = await serve({ backend: echo })
    for await (const items of backend.map({ ...work, inputs: inputsOf(numbered(1e9)), unordered: true }))
      if (items.some(({ index }) => index > 10)) break
    await vi.waitFor(() => expect(echo.maps[0]?.signal?.aborted).toBe(true), 20_000)
  })

  test('end with the failure of their inputs', async () => {
    const { backend } = await serve({ backend: new EchoBackend() })
    const inputs = async function* () {
      yield encodeValue(1)
      throw new Error('the file is gone')
    }
    const readAll = async () => {
      for await (const _ of backend.map({ ...work, inputs: inputsOf(inputs()), unordered: false }));
    }
    await expect(readAll()).rejects.toThrow('the file is gone')
  })
})

test('its owner invites, asks for the mesh and revokes', async () => {
  const peer = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
  const revoke = vi.fn(async () => {
    throw new MeshError('E_USAGE', 'not yours to revoke')
  })
  const { client } = await serve({ revoke })
  const invited = await client.ask({ t: 'invite', own: false, life_ms: 60_000 }, 'invited')
  expect(invited).toMatchObject({ ticket: 'wayside1', expires_ms: 60_000 })
  expect((await client.ask({ t: 'mesh' }, 'mesh')).mesh).toEqual({ name: 'home' })
  await expect(client.ask({ t: 'revoke', peer }, 'done')).rejects.toMatchObject({ message: 'not yours to revoke' })
  expect(revoke).toHaveBeenCalledWith(peer)
})

describe('a hundred times as much as a program may do', () => {
  const dial = (data: string): Socket => {
    const raw = connect(readEndpoint(data)?.socket ?? '')
    raw.on('error', () => {})
    onTestFinished(() => void raw.destroy())
    return raw
  }
  const closed = (raw: Socket) => new Promise<void>((resolve) => raw.once('close', () => resolve()))

  test('connections: those past the limit are refused, those that are there go on', async () => {
    const { data, client } = await serve({})
    const held = Array.from({ length: CONNECTIONS_MAX - 1 }, () => dial(data))
    await Promise.all(held.map((raw) => new Promise((resolve) => raw.once('data', resolve))))
    for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => closed(dial(data))))
    expect(held.every((raw) => !raw.destroyed)).toBe(true)
    expect((await client.ask({ t: 'status' }, 'status')).status).toEqual({ pid: 1 })
    const first = held[0]?.destroy()
    await closed(first as Socket)
    await vi.waitFor(async () => (await connectAgent(data)).close(), 20_000)
  })

  test('requests under way: the connection ends, the others do not', async () => {
    const { data, client } = await serve({ mesh: () => ({ name: 'home' }), status: () => new Promise(() => {}) })
    const raw = dial(data)
    const frames = new FrameSocket(raw, CONTROL_FRAME_BYTES_MAX)
    let answers = 0
    frames.receive({ frame: () => answers++, closed: () => {} })
    frames.send(CommandFrame.encode({ t: 'hello', control: CONTROL_VERSION, wayside: '0' }))
    const ended = closed(raw)
    for (let id = 1; id <= REQUESTS_MAX + 1; id++) frames.send(CommandFrame.encode({ t: 'status', id }))
    await ended
    expect(answers).toBe(1)
    expect((await client.ask({ t: 'mesh' }, 'mesh')).mesh).toEqual({ name: 'home' })
  })

  test('answers that it does not read: it is cut off', async () => {
    const bytes = 2 ** 20
    let asked = 0
    const { data, client } = await serve({
      status: async () => {
        asked++
        return { text: 'x'.repeat(bytes) }
      },
    })
    const raw = dial(data)
    raw.pause()
    const frames = new FrameSocket(raw, CONTROL_FRAME_BYTES_MAX)
    frames.send(CommandFrame.encode({ t: 'hello', control: CONTROL_VERSION, wayside: '0' }))
    const most = Math.ceil((100 * CONTROL_UNREAD_BYTES_MAX) / bytes)
    for (let id = 1; id <= most; id++) frames.send(CommandFrame.encode({ t: 'status', id }))
    await closed(raw)
    expect(asked * bytes).toBeGreaterThan(CONTROL_UNREAD_BYTES_MAX)
    expect((await client.ask({ t: 'mesh' }, 'mesh')).mesh).toEqual({ name: 'home' })
    // Some requests come in one piece with the last that was answered.
    expect(asked).toBeLessThan(most / 2)
  })
})

describe('an agent that cannot be talked to', () => {
  test('none: E_AGENT_NOT_RUNNING', async () => {
    await expect(connectAgent(directory())).rejects.toMatchObject({ code: 'E_AGENT_NOT_RUNNING' })
  })

  test('one that was killed: its socket leads nowhere', async () => {
    const data = directory()
    const endpoint = { pid: 1, socket: join(data, 'agent.sock'), wayside: '0' }
    writeFileSync(join(data, 'agent.json'), JSON.stringify(endpoint))
    await expect(connectAgent(data)).rejects.toMatchObject({ code: 'E_AGENT_NOT_RUNNING' })
    expect(readEndpoint(data)).toEqual(endpoint)
  })

  test('one of another version: E_PROTOCOL_VERSION says what to do', async () => {
    const data = directory()
    const socket = join(data, 'agent.sock')
    const server = createServer((raw) => {
      raw.on('error', () => {})
      const frames = new FrameSocket(raw, CONTROL_FRAME_BYTES_MAX)
      frames.receive({ frame: () => {}, closed: () => {} })
      frames.send(AgentFrame.encode({ t: 'hello', control: 99, wayside: '9.9.9', later: true } as AgentFrame))
    })
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    writeFileSync(join(data, 'agent.json'), JSON.stringify({ pid: 1, socket, wayside: '9.9.9' }))
    await expect(connectAgent(data)).rejects.toMatchObject({
      code: 'E_PROTOCOL_VERSION',
      message: expect.stringMatching(/the agent is wayside 9\.9\.9, .*wayside down --data/),
    })
  })
})
