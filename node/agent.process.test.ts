import { readFileSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { childrenOf } from '../scripts/processes.ts'
import { isAlive } from '../scripts/test/is-alive.ts'
import { readEndpoint } from './control/endpoint.ts'
import { writeFunctions } from './testing/functions.ts'
import { begin, freshDirectory, startAgent, startMesh, statusOf, until, wayside } from './testing/wayside.ts'

const mode = (...path: string[]) => (statSync(join(...path)).mode & 0o777).toString(8)

describe('two agents', () => {
  test('join by ticket; a command uses them over the socket, or joins for one call', async () => {
    const cwd = writeFunctions()
    const [first, second] = await startMesh(2)
    const command = ['run', 'hello.ts', '{"name":"Ada"}', '--json']
    const overAgent = await wayside([...command, '--data', first!.data], { cwd })
    expect(JSON.parse(overAgent.stdout)).toMatchObject({
      value: { text: 'Hello, Ada' },
      local: false,
      verify: 'audit',
      executors: [second!.status.peer, first!.status.peer],
    })
    expect(overAgent.stderr).toMatch(/can read its code and input/)
    expect((await wayside([...command, '--remote', '--data', first!.data], { cwd })).stderr).not.toMatch(/can read/)

    const env = { WAYSIDE_JOIN: second!.status.ticket as string, WAYSIDE_VERIFY: 'quorum:2' }
    const joined = await wayside([...command, '--data', freshDirectory()], { cwd, env })
    const { executors, local } = JSON.parse(joined.stdout)
    expect({ local, executors: executors.toSorted() }).toEqual({
      local: false,
      executors: [first!.status.peer, second!.status.peer].toSorted(),
    })

    const hungry = await wayside(['run', 'hungry/hello.ts', '--remote', '--data', first!.data], { cwd })
    expect(hungry).toMatchObject({ status: 4, stderr: expect.stringMatching(/error E_NO_MEMORY: /) })

    const { today, neighbours, disk } = await statusOf(second!.data)
    expect(today).toMatchObject({ tasks: 3, refused: 0 })
    expect(neighbours.map(({ peer }) => peer)).toContain(first!.status.peer)
    expect(disk.blocks).toBeGreaterThan(0)
  })

  test('what runs is given to another when its executor is interrupted, which leaves nothing running', async () => {
    const cwd = writeFunctions()
    const [first, second] = await startMesh(2)
    const calling = begin(['run', 'spins.ts', '--verify', 'none', '--timeout', '6s', '--data', first!.data], { cwd })
    await until(async () => (await statusOf(second!.data)).running.length > 0)
    const { running } = await statusOf(second!.data)
    expect(running[0]).toMatchObject({ peer: first!.status.peer, export: 'default' })
    // An invocation is said to run as soon as it is taken: its sandbox starts then.
    await until(() => childrenOf(second!.pid).length > 0)
    const sandboxes = childrenOf(second!.pid)

    const startedMs = performance.now()
    const { status, stderr } = await second!.stop('SIGINT')
    // It waits for nothing that runs, which would be 6 s.
    expect(performance.now() - startedMs).toBeLessThan(5000)
    expect(status).toBe(0)
    expect(stderr).toMatch(/stopping: no new work is taken/)
    await until(() => !sandboxes.some(isAlive))

    const ended = await calling.ended
    expect(ended.stderr).toMatch(/error E_(TIMEOUT|STOPPING|NO_PEER)/)
    expect((await statusOf(first!.data)).neighbours).toEqual([])
  })
})

describe('the data directory', () => {
  test('can be read by its owner alone', async () => {
    const { data } = await startAgent()
    expect(mode(data, 'agent.sock')).toBe('600')
    expect(mode(data, 'identity.key')).toBe('600')
    expect(mode(data, 'agent.json')).toBe('600')
    expect(mode(data, 'log')).toBe('700')
  })

  test('taken: names the pid and --data, and the holder is not disturbed', async () => {
    const { data, pid } = await startAgent()
    const { status, stderr } = await wayside(['up', '--data', data])
    expect(status).toBe(6)
    expect(stderr).toMatch(new RegExp(`error E_DATA_DIR_TAKEN: .*in use by process ${pid}; .*--data DIR`))
    expect((await statusOf(data)).pid).toBe(pid)
  })

  test('with a path too long for a socket is served from a short one', async () => {
    const data = join(freshDirectory(), 'd'.repeat(120))
    const agent = await startAgent([], { data })
    expect(readEndpoint(data)!.socket.length).toBeLessThan(104)
    expect(mode(readEndpoint(data)!.socket)).toBe('600')
    expect((await statusOf(data)).pid).toBe(agent.pid)
    const { socket } = readEndpoint(data)!
    await agent.stop()
    expect(() => statSync(dirname(socket))).toThrow('ENOENT')
    expect(statSync(data).isDirectory()).toBe(true)
  })

  test('after SIGKILL: the same peer comes back at the same address, to the same mesh, and no sandbox is left', async () => {
    const cwd = writeFunctions()
    const [first, second] = await startMesh(2)
    const calling = begin(['run', 'spins.ts', '--timeout', '3s', '--data', first!.data], { cwd })
    await until(() => childrenOf(second!.pid).length > 0)
    const sandboxes = childrenOf(second!.pid)
    await second!.stop('SIGKILL')
    await until(() => !sandboxes.some(isAlive))
    expect((await wayside(['status', '--data', second!.data])).status).toBe(6)

    const again = await startAgent([], { data: second!.data })
    const { peer, addresses, mesh } = again.status
    expect({ peer, addresses, mesh }).toEqual({
      peer: second!.status.peer,
      addresses: second!.status.addresses,
      mesh: first!.status.mesh,
    })
    await until(async () => (await statusOf(again.data)).neighbours.some((one) => one.peer === first!.status.peer))
    await calling.ended
  })

  test('of one that joined by a peer that is gone for good: it comes back through the others, and works with them', async () => {
    const [bootstrap, second, third] = await startMesh(3)
    await until(async () => (await statusOf(third!.data)).neighbours.length === 2)
    await bootstrap!.stop('SIGKILL')
    await third!.stop()
    const again = await startAgent([], { data: third!.data })
    await until(async () => (await statusOf(again.data)).neighbours.some((one) => one.peer === second!.status.peer))
    const cwd = writeFunctions()
    const args = ['run', 'hello.ts', '{"name":"Ada"}', '--remote', '--verify', 'none', '--data', again.data]
    const run = await wayside(args, { cwd })
    expect(run.stdout).toContain('Hello, Ada')
  })

  test('killed at any write of its start, the agent starts again as the same peer', async () => {
    const data = freshDirectory()
    const start = (args: string[], env: Record<string, string>) =>
      begin(['up', '--json', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0', ...args], { env })
    for (let write = 1; ; write++) {
      const { ended, child } = start([], { WAYSIDE_FAIL_POINTS: `storage.write=exit@${write}` })
      child.stdout?.once('data', () => child.kill('SIGTERM'))
      const { status } = await ended
      if (status === 0) break
      expect({ write, status }).toEqual({ write, status: null })
    }
    const key = readFileSync(join(data, 'identity.key'), 'utf8')
    expect((await startAgent([], { data })).status.neighbours).toEqual([])
    expect(readFileSync(join(data, 'identity.key'), 'utf8')).toBe(key)
  })

  test('of one mesh refuses a ticket to another, and says what to do', async () => {
    const [one, other] = [await startAgent(), await startAgent()]
    await other.stop()
    const { status, stderr } = await wayside(['up', '--data', other.data, '--join', one.status.ticket as string])
    expect(status).toBe(4)
    expect(stderr).toMatch(/error E_MESH_MISMATCH: .* belongs to mesh .*--data DIR.*wayside down --erase --data/)
  })

  test('without a ticket no bare address lets into a private mesh; with a membership it does, and so does a call without the agent', async () => {
    const [first, second] = await startMesh(2)
    const address = first!.status.addresses[0] as string
    const stranger = await wayside(['up', '--data', freshDirectory(), '--join', address])
    expect({ status: stranger.status, stderr: stranger.stderr }).toEqual({
      status: 4,
      stderr: expect.stringMatching(/error E_NOT_ADMITTED: .*ticket/),
    })
    await second!.stop()

    const args = ['run', 'hello.ts', '{"name":"Ada"}', '--json', '--verify', 'none', '--data', second!.data]
    const { stdout } = await wayside(args, { cwd: writeFunctions() })
    expect(JSON.parse(stdout)).toMatchObject({ local: false, executors: [first!.status.peer] })
    const env = { WAYSIDE_DENY: first!.status.peer }
    const denying = await wayside(args, { cwd: writeFunctions(), env })
    expect(JSON.parse(denying.stdout)).toMatchObject({ local: true })

    const again = await startAgent(['--join', address], { data: second!.data })
    await until(async () => (await statusOf(again.data)).neighbours.length === 1)
  })
})

describe('its owner', () => {
  test('pauses, resumes, reads the log, and stops it', async () => {
    const { data, pid, ended, status } = await startAgent()
    const tell = (...args: string[]) => wayside([...args, '--data', data])
    expect((await tell('pause', '1h')).stdout).toMatch(/paused for 60 min|paused for 1 h/)
    const paused = { paused_by: 'owner', paused_until: expect.any(Number) }
    expect(JSON.parse((await tell('status', '--json')).stdout)).toMatchObject({ pid, peer: status.peer, ...paused })
    expect((await tell('status')).stdout).toMatch(/paused by you, until \d\d:\d\d/)
    expect((await tell('resume')).stdout).toBe('lending again\n')
    expect((await tell('status')).stdout).toMatch(/^lending/)
    expect((await tell('peers')).stdout).toBe('no peer in reach\n')
    expect((await tell('usage')).stdout).toMatch(/^nobody has worked here/)
    expect(JSON.parse((await tell('usage', '--json')).stdout)).toEqual([])
    expect((await tell('logs')).stdout).toMatch(/agent\.started[\s\S]*agent\.paused[\s\S]*agent\.resumed/)
    expect((await tell('logs', status.peer)).stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(await tell('down')).toMatchObject({ status: 0, stdout: 'the agent has stopped\n' })
    expect((await ended).status).toBe(0)
    expect((await tell('logs')).stdout).toMatch(/agent\.stopped/)
    expect((await tell('down', '--erase')).stdout).toMatch(/no agent was running; .* is erased/)
    expect(() => statSync(data)).toThrow('ENOENT')
  })

  test('invites, sees who is in the mesh, and puts somebody out, for good', async () => {
    const first = await startAgent()
    const tell = (...args: string[]) => wayside([...args, '--data', first.data])
    const invited = await tell('invite', '--for', '10m')
    expect(invited).toMatchObject({ status: 0, stdout: expect.stringMatching(/^wayside1[a-z2-7]+\n$/) })
    expect((await tell('invite', '--for', '1000h')).stderr).toMatch(/E_USAGE: --for 1000h: .* from 1s to 720h/)
    const guest = await startAgent(['--join', invited.stdout.trim()])
    const { peer } = guest.status
    await until(async () => (await statusOf(first.data)).neighbours.length === 1)

    expect((await tell('status')).stdout).toMatch(/`wayside invite --data .*` prints a ticket/)
    expect((await tell('status')).stdout).not.toMatch(/wayside1/)
    const words = (await tell('mesh')).stdout
    expect(words).toMatch(/private: in it are the operator/)
    expect(words).toMatch(/you +the operator: you may invite, and revoke anyone/)
    expect(words).toMatch(new RegExp(`members +1 other met\n +${peer} +here now, let in by this machine, until 2`))
    const theirs = (await wayside(['mesh', '--data', guest.data, '--json'])).stdout
    expect(JSON.parse(theirs).self).toMatchObject({ peer, role: 'member', invited_by: first.status.peer })
    const vain = await wayside(['mesh', 'revoke', first.status.peer, '--data', guest.data])
    expect(vain).toMatchObject({ status: 2, stderr: expect.stringMatching(/the operator, whom nobody can revoke/) })

    expect(await tell('mesh', 'revoke', peer, '--json')).toMatchObject({ status: 0, stdout: `{"revoked":"${peer}"}\n` })
    await until(async () => (await statusOf(first.data)).neighbours.length === 0)
    expect((await tell('mesh')).stdout).toMatch(new RegExp(`revoked +1 peer[\\s\\S]*${peer}, by this machine on 2`))
    await first.stop()
    const again = await startAgent([], { data: first.data })
    await guest.stop()
    const back = await wayside(['run', 'hello.ts', '{"name":"Ada"}', '--remote', '--data', guest.data], {
      cwd: writeFunctions(),
    })
    expect(back.status).toBe(4)
    expect((await statusOf(again.data)).neighbours).toEqual([])
  })

  test('who says garbage on the socket is cut off, and the agent goes on', async () => {
    const { data, pid } = await startAgent()
    const { socket } = readEndpoint(data)!
    for (const garbage of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(4, 255),
      Buffer.from([0, 0, 0, 1, 0xa1]),
    ]) {
      const client = createConnection(socket)
      client.write(garbage)
      client.on('error', () => {})
      client.resume()
      await new Promise((resolve) => client.once('close', resolve))
    }
    expect((await statusOf(data)).pid).toBe(pid)
  })

  test('may close the terminal’s end of its output, and it goes on', async () => {
    const { data, pid, child } = await startAgent()
    child.stdout?.destroy()
    child.stderr?.destroy()
    await wayside(['pause', '--data', data])
    await wayside(['resume', '--data', data])
    expect((await statusOf(data)).pid).toBe(pid)
  })

  test('detaches it: `up -d` returns once it answers', async () => {
    const data = freshDirectory()
    const { status, stdout } = await wayside(['up', '-d', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/wayside up --join wayside1/) })
    const { pid } = await statusOf(data)
    expect(isAlive(pid)).toBe(true)
    expect((await wayside(['down', '--data', data])).status).toBe(0)
    await until(() => !isAlive(pid))
  })
})
