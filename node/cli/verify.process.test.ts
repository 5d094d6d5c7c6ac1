import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { type SignedKind, signBatch } from '../../protocol/envelope.ts'
import { peerIdFromPublicKey } from '../../protocol/identity.ts'
import { Outcome } from '../../protocol/outcome.ts'
import type { Ports, SandboxHost } from '../../protocol/ports.ts'
import { Invocation, JournalHead, Receipt, ReceiptFile, Task } from '../../protocol/records.ts'
import { encodeValue } from '../../protocol/values.ts'
import { corruptingHost, marked } from '../../scripts/test/corrupting-host.ts'
import { compileWasi } from '../../sdk/bundle/wasm/testing/compile.ts'
import { lyingHost } from '../../simulations/adversaries.ts'
import { startAgent as startHere } from '../agent.ts'
import { readConfig } from '../config.ts'
import { createCrypto, createSigner, generatePrivateKey } from '../crypto.ts'
import { writeFunctions } from '../testing/functions.ts'
import { begin, freshDirectory, startAgent, statusOf, until, wayside, withoutWaits } from '../testing/wayside.ts'

const crypto = createCrypto()
const signer = createSigner(generatePrivateKey())
const self = peerIdFromPublicKey(signer.publicKey)
const sign = async (kind: SignedKind, payload: Uint8Array) =>
  (await signBatch(crypto, signer, self, kind, [payload]))[0]!

let cwd: string
let honest: ReceiptFile

/** A receipt of our own for the task of the honest file, as `change` says. */
const signedFor = async (change: Partial<Receipt>): Promise<ReceiptFile> => {
  const receipt = { ...Receipt.decode(honest.receipts[0]!.payload), executor: self, ...change }
  return { ...honest, receipts: [await sign('receipt', Receipt.encode(receipt))] }
}

const lie = Outcome.encode({
  ...{ v: 1, result: { ok: true, value: encodeValue({ text: 'Goodbye\u202e' }) }, requests: [], console: [] },
  ...{ fuel: 1, memory_bytes: 1 },
})

const write = (file: ReceiptFile | Uint8Array | string): string => {
  const path = join(freshDirectory(), 'file.receipt')
  writeFileSync(path, typeof file === 'string' || file instanceof Uint8Array ? file : ReceiptFile.encode(file))
  return path
}
const verify = (file: ReceiptFile | Uint8Array | string, ...flags: string[]) =>
  wayside(['verify', write(file), ...flags], { cwd })

beforeAll(async () => {
  cwd = writeFunctions()
  const path = join(freshDirectory(), 'honest.receipt')
  await wayside(['run', 'hello.ts', '{"name":"Ada"}', '--local', '--receipt', path], { cwd })
  honest = ReceiptFile.decode(new Uint8Array(readFileSync(path)))
})

describe('0:', () => {
  test('who signed what, for whom, and that it is right', async () => {
    const { status, stdout, stderr } = await verify(honest)
    expect({ status, stderr: withoutWaits(stderr) }).toEqual({ status: 0, stderr: '' })
    const { executor, task } = Receipt.decode(honest.receipts[0]!.payload)
    expect(stdout).toMatch(/^receipt 1 of 1: right\n/)
    expect(stdout).toMatch(/\nof how the answer was checked its home says, unsigned: it ran it again itself\n/)
    expect(stdout).toContain('it says {"text":"Hello, Ada"}, and so does running it again here\n')
    expect(stdout).toMatch(new RegExp(`signed by +${executor}\n`))
    expect(stdout).toMatch(new RegExp(`asked for by +${executor}\n`))
    expect(stdout).toMatch(/function +bafy\w+#default \(hello\)\n/)
    expect(stdout).toMatch(new RegExp(`task +${task}\n`))
    expect(stdout).toMatch(/\n1 receipt: right\n$/)
  })

  test('--json prints one object', async () => {
    const { status, stdout } = await verify(honest, '--json')
    expect(status).toBe(0)
    const { executor } = Receipt.decode(honest.receipts[0]!.payload)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      receipts: [
        {
          ...{
            verdict: 'right',
            signer: executor,
            invoker: executor,
            home: executor,
            export: 'default',
            name: 'hello',
          },
          ...{ says: { value: { text: 'Hello, Ada' } }, gives: { value: { text: 'Hello, Ada' } }, epoch: 0 },
        },
      ],
    })
  })
})

describe('5:', () => {
  test('a wrong outcome, with what it says and what it should', async () => {
    const file = await signedFor({ outcome: recordCid(crypto, lie) })
    const proof = { ...file, blocks: [...file.blocks, lie] }
    const { status, stdout } = await verify(proof)
    expect(status).toBe(5)
    const { task } = Receipt.decode(honest.receipts[0]!.payload)
    expect(stdout).toContain(
      `${self} signed a wrong outcome for task ${task}: it says {"text":"Goodbye "}, re-execution gives {"text":"Hello, Ada"}\n`,
    )
    const json = JSON.parse((await verify(proof, '--json')).stdout)
    expect(json).toMatchObject({ ok: false, receipts: [{ verdict: 'wrong', signer: self, says: { fuel: 1 } }] })
  })

  test('a home that signed two journals where there is one', async () => {
    const invocation = recordCid(crypto, honest.invocations[0]!.payload)
    const head = (byte: number) => {
      const journal = { head: new Uint8Array(32).fill(byte), length: 2 }
      return sign('journal-head', JournalHead.encode({ v: 1, invocation, epoch: 0, journal }))
    }
    const heads = [await head(1), await head(2)]
    const proof: ReceiptFile = { ...honest, receipts: [], invocations: [], heads, verification: [] }
    const { status, stdout } = await verify(proof)
    expect(status).toBe(5)
    expect(stdout).toContain(`${self} signed two different journals where there is one, after 2 entries\n`)
    expect(stdout).toMatch(/\n1 home convicted\n$/)
    const json = JSON.parse((await verify(proof, '--json')).stdout)
    expect(json).toEqual({
      ok: false,
      receipts: [],
      parted: [],
      two_faced: [{ home: self, invocation: invocation.toString(), epoch: 0, length: 2 }],
      claimed: null,
    })
  })

  test('a wrong bill: the part in which the outcomes differ is shown', async () => {
    const right = honest.blocks.map(readOutcome).find((outcome) => outcome !== undefined)!
    const dear = Outcome.encode({ ...right, fuel: right.fuel + 1 })
    const file = await signedFor({ outcome: recordCid(crypto, dear) })
    const { status, stdout } = await verify({ ...file, blocks: [...file.blocks, dear] })
    expect(status).toBe(5)
    expect(stdout).toContain(`it says fuel ${right.fuel + 1}, re-execution gives fuel ${right.fuel}\n`)
  })

  test('a wrong receipt among right ones', async () => {
    const { receipts } = await signedFor({ outcome: recordCid(crypto, lie) })
    const both = [...honest.receipts, ...receipts]
    const { status, stdout } = await verify({
      ...honest,
      receipts: both,
      invocations: [0, 1].map(() => honest.invocations[0]!),
    })
    expect(status).toBe(5)
    expect(stdout).toContain('it says an outcome that the file does not carry, re-execution gives')
    expect(stdout).toMatch(/\n2 receipts: 1 right, 1 wrong\n$/)
  })

  test('what proves nothing, each with its code', async () => {
    const [signed] = honest.receipts as [ReceiptFile['receipts'][number]]
    const forged = { ...honest, receipts: [{ ...signed, signer: self }] }
    expect(await verify(forged)).toMatchObject({
      status: 5,
      stdout: expect.stringMatching(/1: proves nothing\n {2}E_SIGNATURE: [\s\S]*in the name of/),
    })
    const lacking = { ...honest, blocks: honest.blocks.slice(1) }
    expect(await verify(lacking)).toMatchObject({
      status: 5,
      stdout: expect.stringContaining('E_BLOCK_MISSING: the block bafy'),
    })
    expect(await verify(await onEngine(`quickjs:${'2'.repeat(64)}`))).toMatchObject({
      status: 5,
      stdout: expect.stringContaining('E_ENGINE_UNAVAILABLE: it ran on the engine quickjs:2222'),
    })
    const { stdout } = await verify(forged, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, receipts: [{ verdict: 'unusable', code: 'E_SIGNATURE' }] })
  })

  const readOutcome = (bytes: Uint8Array) => {
    try {
      return Outcome.decode(bytes)
    } catch {
      return undefined
    }
  }

  /** The same work, asked for and done on another engine. */
  const onEngine = async (engine: string): Promise<ReceiptFile> => {
    const [taskBytes, ...blocks] = honest.blocks as [Uint8Array, ...Uint8Array[]]
    const task = Task.decode(taskBytes)
    const changed = Task.encode({ ...task, environment: { ...task.environment, engine } })
    const taskId = recordCid(crypto, changed)
    const asked = { ...Invocation.decode(honest.invocations[0]!.payload), task: taskId, invoker: self, home: self }
    const invocation = await sign('invocation', Invocation.encode(asked))
    const cid = recordCid(crypto, invocation.payload)
    const journal = { head: cid.multihash.digest, length: 0 }
    const file = await signedFor({ task: taskId, invocation: cid, home: self, engine, journal })
    return { ...file, invocations: [invocation], blocks: [changed, ...blocks] }
  }
})

describe('2:', () => {
  test.each<[string, RegExp, () => string]>([
    ['no such file', /nowhere cannot be read: ENOENT/, () => 'nowhere'],
    ['a directory', /cannot be read: it is no file/, () => freshDirectory()],
    ['garbage', /is no receipt file: /, () => write('{"receipts":[]}')],
    ['a file cut off', /is no receipt file: /, () => write(ReceiptFile.encode(honest).slice(0, -100))],
    ['another message', /is no receipt file: receipt file/, () => write(honest.receipts[0]!.payload)],
    [
      'a file over the limit',
      new RegExp(`is no receipt file: it is larger than ${ReceiptFile.bytesMax} bytes`),
      () => {
        const path = write('')
        truncateSync(path, ReceiptFile.bytesMax + 1)
        return path
      },
    ],
  ])('%s', async (_, words, file) => {
    const { status, stdout, stderr } = await wayside(['verify', file()], { cwd })
    expect(stderr).toMatch(/^error E_USAGE: /)
    expect(stderr).toMatch(words)
    expect(stderr).toContain('wayside run --receipt FILE')
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  test('no file named', async () => {
    expect(await wayside(['verify'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("missing required argument 'file'"),
    })
  })
})

const COUNTS = `
#include <stdio.h>
int main(void) {
  volatile int count = 0;
  while (count < 5000000) count++;
  return printf("counted to %d", count) < 0;
}`

test('of a WebAssembly function: right with its trace, and wrong with another outcome', async () => {
  writeFileSync(join(cwd, 'counts.wasm'), compileWasi(COUNTS))
  const path = join(freshDirectory(), 'program.receipt')
  const args = ['counts.wasm', '--local', '--receipt', path, '--trace', '1']
  expect(await wayside(['run', ...args], { cwd })).toMatchObject({ status: 0 })
  const { status, stdout } = await wayside(['verify', path], { cwd })
  expect(status).toBe(0)
  expect(stdout).toMatch(/^receipt 1 of 1: right\n/)
  expect(stdout).toMatch(/\n {2}memory +the same as that of the run here up to tick \d+\n/)
  const file = ReceiptFile.decode(new Uint8Array(readFileSync(path)))
  const receipt = { ...Receipt.decode(file.receipts[0]!.payload), executor: self, outcome: recordCid(crypto, lie) }
  const receipts = [await sign('receipt', Receipt.encode(receipt))]
  const wrong = await verify({ ...file, receipts, blocks: [...file.blocks, lie] })
  expect(wrong.status).toBe(5)
  expect(wrong.stdout).toContain(`${self} signed a wrong outcome`)
})

test('130: Ctrl-C ends a run that takes long', async () => {
  const path = join(freshDirectory(), 'spins.receipt')
  const fuel = ['--fuel', '1000000']
  await wayside(['run', 'spins.ts', '--local', '--receipt', path, ...fuel], { cwd })
  const file = ReceiptFile.decode(new Uint8Array(readFileSync(path)))
  const [taskBytes, ...blocks] = file.blocks as [Uint8Array, ...Uint8Array[]]
  const task = Task.decode(taskBytes)
  const limits = { ...task.environment.limits, fuel: 1_000_000_000_000 }
  const long = Task.encode({ ...task, environment: { ...task.environment, limits } })
  const taskId = recordCid(crypto, long)
  const asked = { ...Invocation.decode(file.invocations[0]!.payload), task: taskId, invoker: self, home: self }
  const invocation = await sign('invocation', Invocation.encode(asked))
  const cid = recordCid(crypto, invocation.payload)
  const receipt = {
    ...Receipt.decode(file.receipts[0]!.payload),
    task: taskId,
    invocation: cid,
    home: self,
    limits,
    executor: self,
  }
  const signed = await sign(
    'receipt',
    Receipt.encode({ ...receipt, journal: { head: cid.multihash.digest, length: 0 } }),
  )
  const endless = write({ ...file, receipts: [signed], invocations: [invocation], blocks: [long, ...blocks] })
  const { child, ended } = begin(['verify', endless], { cwd })
  child.stderr?.on('data', (text: string) => {
    if (text.includes('waiting')) child.kill('SIGINT')
  })
  expect(await ended).toMatchObject({
    status: 130,
    stdout: '',
    stderr: expect.stringContaining('waiting: for the function'),
  })
})

/** An agent that lends, on a machine with this sandbox, and the data directory of one that calls it. */
const callerOf = async (change: (ports: Ports) => SandboxHost) => {
  const { data, status } = await startAgent(['--cpus', '0'])
  const lent = { listen: ['/ip4/127.0.0.1/tcp/0'], cpus: '1', memory: '128MiB' }
  const config = readConfig({ data: freshDirectory(), join: [status.ticket!], ...lent }, {})
  const lender = await startHere(config, { adapt: (ports) => ({ ...ports, sandboxHost: change(ports) }) })
  onTestFinished(() => lender.stop())
  await until(async () => (await statusOf(data)).neighbours.some(({ slots }) => slots > 0))
  return { data, lender }
}

test('run --receipt --trace: of a machine whose memory loses a bit verify says at which tick', async () => {
  const { data } = await callerOf(({ sandboxHost, clock }) => corruptingHost(5)(sandboxHost, clock))
  writeFileSync(join(cwd, 'marked.js'), marked(true))
  const receipts = join(freshDirectory(), 'marked.receipt')
  const flags = ['--verify', 'self', '--remote', '--receipt', receipts, '--trace', '1', '--data', data]
  expect(await wayside(['run', 'marked.js', '60000', ...flags], { cwd })).toMatchObject({ status: 0 })
  const proof = await wayside(['verify', `${receipts}.proof-1.cbor`], { cwd })
  expect(proof.status).toBe(5)
  expect(proof.stdout).toMatch(
    /\n {2}memory +first differs from that of the run here at tick 5, the same still at tick 4\n/,
  )
  const all = await wayside(['verify', receipts], { cwd })
  expect(all.stdout).toContain(
    '\nmemory of receipt 2: first differs from that of receipt 1 at tick 5, the same still at tick 4\n',
  )
  const json = JSON.parse((await wayside(['verify', receipts, '--json'], { cwd })).stdout)
  expect(json).toMatchObject({ parted: [{ receipts: [0, 1], same_tick: 4, differs_tick: 5 }] })
})

test('run --receipt keeps a proof of a lie, which convicts the liar without an agent', async () => {
  const { data, lender: liar } = await callerOf(({ sandboxHost }) => lyingHost(sandboxHost))
  const receipts = join(freshDirectory(), 'square.receipt')
  const args = ['square.ts', '12', '--verify', 'self', '--remote', '--public', '--receipt', receipts, '--data', data]
  const called = await wayside(['run', ...args], { cwd })
  expect(called).toMatchObject({
    status: 0,
    stdout: '144\n',
    stderr: expect.stringContaining(`wayside verify ${receipts}.proof-1.cbor`),
  })
  const proof = ReceiptFile.decode(new Uint8Array(readFileSync(`${receipts}.proof-1.cbor`)))
  expect(Invocation.decode(proof.invocations[0]!.payload).public).toBe(true)
  const { status: exit, stdout } = await wayside(['verify', `${receipts}.proof-1.cbor`], { cwd })
  expect(exit).toBe(5)
  expect(stdout).toMatch(
    new RegExp(`${liar.peer.peerId} signed a wrong outcome for task bafy\\w+: it says 145, re-execution gives 144\n`),
  )
  // What may be shown is kept.
  const kept = join(data, 'proofs', `${liar.peer.peerId}.cbor`)
  await until(() => existsSync(kept))
  expect(readFileSync(kept).equals(readFileSync(`${receipts}.proof-1.cbor`))).toBe(true)
  expect((await wayside(['verify', receipts], { cwd })).stdout).toMatch(/\n2 receipts: 1 right, 1 wrong\n$/)
})
