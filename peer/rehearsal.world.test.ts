/** What a home runs itself of functions with barriers: once, however many there are, as long as nothing is made up. */
import { expect, test } from 'vitest'
import type { Grants } from '../protocol/grants.ts'
import type { SandboxHost, Web } from '../protocol/ports.ts'
import { decodeCommands } from '../sandbox/frames.ts'
import { isImageFile } from '../sandbox/image-file.ts'
import { publish, requestOf, returned, worldFor } from '../scripts/test/world.ts'
import type { PeerSetup, WorldPeer } from '../simulations/world.ts'
import { ensureLevel } from './calls.ts'

const ORIGIN = 'https://sink.example'
const GRANTS: Grants = { API: { fetch: [ORIGIN], methods: ['POST'] } }
const BARRIERS = 12

/** Waits for other things, too, between its barriers, and asks for two at a time. */
const CODE = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (count, { API }, ctx) => {
    const pay = async (i) => (await API.fetch('${ORIGIN}/pay', { method: 'POST', body: 'part ' + i })).text()
    const paid = []
    for (let i = 0; i < count; i += 2) {
      const [chance] = await Promise.all([ctx.random(2), sleep(5)])
      if (chance.length !== 2) throw new Error('no chance')
      paid.push(...(await Promise.all([pay(i), pay(i + 1)])))
    }
    return paid
  }
`

/** Counts what its processes are told to run. */
const counting = () => {
  const counted = { runs: 0 }
  const wrap = (host: SandboxHost): SandboxHost => ({
    ...host,
    spawn: (engine) => {
      const process = host.spawn(engine)
      const send = (frame: Uint8Array) => {
        if (!isImageFile(frame))
          for (const command of decodeCommands(frame)) if (command[0] === 'runs') counted.runs += command[7].length
        process.send(frame)
      }
      return {
        engines: process.engines,
        send,
        receive: (handlers) => process.receive(handlers),
        kill: () => process.kill(),
      }
    },
  })
  return { counted, wrap }
}

test.each(['self', 'quorum:2'])('at %s a home runs a function with many barriers once', async (level) => {
  const { counted, wrap } = counting()
  const asked: string[] = []
  const web: Web = {
    resolve: async () => ['93.184.215.14'],
    exchange: async ({ body }) => {
      asked.push(new TextDecoder().decode(body ?? undefined))
      return { kind: 'answered', status: 200, headers: [], body: new TextEncoder().encode(`paid ${asked.length}`) }
    },
  }
  const setup = (i: number): PeerSetup => (i === 0 ? { web, policy: { slots: 0 }, sandboxHost: wrap } : {})
  const world = await worldFor(`barriers at ${level}`, { peers: 4, setup })
  const home = world.peers[0] as WorldPeer
  const cid = await publish(home, CODE, {
    effects: ['fetch', 'random', 'sleep'],
    env: [{ name: 'API', kind: 'fetch' }],
  })
  const request = requestOf(cid, BARRIERS, { level: ensureLevel(level), grants: GRANTS })
  const result = await world.until(home.peer.call(request))
  expect(returned(result)).toEqual(Array.from({ length: BARRIERS }, (_, i) => `paid ${i + 1}`))
  expect(asked).toEqual(Array.from({ length: BARRIERS }, (_, i) => `part ${i}`))
  expect(result.disputes).toEqual([])
  expect(counted.runs).toBe(1)
})
