/**
 * What one call costs beside its work: a trivial pure function at `none`, warm, between two processes on loopback.
 * Floor: an echo on a raw libp2p stream that a worker of the other process answers. Rival: a keep-alive HTTP worker.
 */
import { multiaddr } from '@multiformats/multiaddr'
import { connect, fn } from '../node/sdk.ts'
import { startAgent } from './agents.ts'
import { createFloorNode, FLOOR_PROTOCOL, frame, onFrames } from './floor.ts'
import { httpCaller } from './http-client.ts'
import { idealSpeedup } from './ideal.ts'
import { ensurePlausible, interleave, latencies, median, percentile, rounded, row, throughput } from './measure.ts'
import { start } from './processes.ts'

const ROUNDS = 7
const CALLS = 500
const IN_FLIGHT = 128
const THROUGHPUT_MS = 1000
/** A ninth of what HTTP makes on two idle cores, and less of the floor's. */
const RIVAL_CALLS_PER_S_MIN = 1000

type Call = () => Promise<unknown>

interface Round {
  times: number[]
  perSecond: number
}

const openFloor = async (): Promise<{ call: Call; close: () => Promise<void> }> => {
  const { ready: address } = await start<string>('./floor-process.ts')
  const node = await createFloorNode(false)
  const stream = await (await node.dial(multiaddr(address))).newStream(FLOOR_PROTOCOL)
  const waiting = new Map<number, () => void>()
  let next = 0
  onFrames(stream, (id) => {
    waiting.get(id)?.()
    waiting.delete(id)
  })
  const payload = new Uint8Array(100)
  const call = () =>
    new Promise<void>((resolve) => {
      const id = next++
      waiting.set(id, resolve)
      stream.send(frame(id, payload))
    })
  return { call, close: async () => node.stop() }
}

const openOurs = async (): Promise<{ call: Call; close: () => Promise<void> }> => {
  const agent = await startAgent({ cpus: 1 })
  const mesh = await connect({ join: [agent.ticket] })
  const trivial = fn<typeof import('./trivial.ts').default>(new URL('./trivial.ts', import.meta.url))
  let n = 0
  const call = () => mesh.call(trivial, { n: n++ }, { verify: 'none', remote: true })
  const close = async () => {
    await mesh.close()
    await agent.stop()
  }
  return { call, close }
}

const round = async (call: Call): Promise<Round> => ({
  times: await latencies(call, CALLS),
  perSecond: await throughput(call, IN_FLIGHT, THROUGHPUT_MS),
})

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const ideal = await idealSpeedup()
  const floor = await openFloor()
  const ours = await openOurs()
  const { ready: port } = await start<number>('./http-worker.ts')
  const http = httpCaller(port, IN_FLIGHT)
  let n = 0
  const subjects = [
    { name: 'ours', run: () => round(ours.call) },
    { name: 'floor', run: () => round(floor.call) },
    { name: 'http', run: () => round(() => http({ n: n++ })) },
  ]
  const results = await interleave(subjects, ROUNDS, 1)
  await ours.close()
  await floor.close()
  const rounds = (name: string) => results.get(name) as Round[]
  for (const { name } of subjects) {
    print(
      row(
        `${name}, one at a time`,
        'ms p50',
        rounds(name).map(({ times }) => median(times)),
      ),
    )
    print(
      row(
        `${name}, one at a time`,
        'ms p99',
        rounds(name).map(({ times }) => percentile(times, 99)),
      ),
    )
    print(
      row(
        `${name}, ${IN_FLIGHT} in flight`,
        'calls/s',
        rounds(name).map(({ perSecond }) => perSecond),
      ),
    )
  }
  const p50 = (name: string) => rounded(median(rounds(name).map(({ times }) => median(times))))
  const perSecond = (name: string) => rounded(median(rounds(name).map((one) => one.perSecond)))
  for (const rival of ['floor', 'http']) ensurePlausible(rival, perSecond(rival), RIVAL_CALLS_PER_S_MIN, 'calls/s')
  return {
    p50_ms: p50('ours'),
    p99_ms: rounded(median(rounds('ours').map(({ times }) => percentile(times, 99)))),
    floor_p50_ms: p50('floor'),
    http_p50_ms: p50('http'),
    calls_per_s_128: perSecond('ours'),
    floor_calls_per_s_128: perSecond('floor'),
    http_calls_per_s_128: perSecond('http'),
    ideal_speedup_2: rounded(ideal),
  }
}
