import { describe, expect, test } from 'vitest'
import { systemClock } from '../../node/clock.ts'
import { serveRaw } from '../../node/fetching/testing/servers.ts'
import type { Web, WebAnswer } from '../../protocol/ports.ts'
import { FakeClock } from '../../simulations/clock.ts'
import { Fetching } from './fetch.ts'
import { asked, authority, fetching, LOCAL, log, names, never, perform, type Shown, shown } from './testing/fetching.ts'

describe('an unsafe request whose outcome is not known', () => {
  const post = (origin: string) => asked(origin, { method: 'POST', body: new Uint8Array([7]) })

  test('is not sent again, and that is said', async () => {
    const server = await serveRaw((socket) => socket.end())
    names.set('localhost', [LOCAL])
    const allowed = authority({ fetch: [server.origin], methods: ['GET', 'POST'] })
    expect(await perform(post(server.origin), allowed)).toMatch(
      /^E_EFFECT_OUTCOME_UNKNOWN env\.API: POST http:\/\/localhost:\d+: the connection ended .*; the request had been sent, and may have been performed$/,
    )
    expect(server.connections()).toBe(1)
    // Nothing is lost where nothing was to be changed.
    expect(await perform(asked(server.origin), allowed)).toMatch(/^E_FETCH/)
    expect(server.connections()).toBe(2)
  })

  test('is known not to have been sent where nobody was reached', async () => {
    const server = await serveRaw(() => {})
    names.set('away.example', [['127.0.0.2']])
    const origin = `http://away.example:${server.port}`
    expect(await perform(post(origin), authority({ fetch: [origin], methods: ['POST'], onUnknown: 'retry' }))).toBe(
      `E_FETCH env.API: POST ${origin}: no connection (ECONNREFUSED)`,
    )
  })

  const scripted = (answers: WebAnswer[]) => {
    const clock = new FakeClock()
    const sent: { atMs: number; key: string | undefined }[] = []
    const web: Web = {
      resolve: async () => ['127.0.0.1'],
      exchange: async ({ headers }) => {
        sent.push({ atMs: clock.monotonic(), key: headers.find(([name]) => name === 'idempotency-key')?.[1] })
        return answers[Math.min(sent.length, answers.length) - 1] as WebAnswer
      },
    }
    const by = new Fetching({ clock, log, web })
    const origin = 'http://api.example'
    const allowed = (deadlineMs: number) =>
      authority(
        { fetch: [origin], methods: ['POST'], onUnknown: 'retry' },
        { deadlineMs: clock.monotonic() + deadlineMs },
      )
    return { clock, sent, send: (deadlineMs: number) => by.prepare(post(origin), allowed(deadlineMs)).send(never) }
  }
  const lost: WebAnswer = { kind: 'lost', reason: 'lost' }

  test('is sent again with the same key, later each time, if the grant says so', async () => {
    const answered: WebAnswer = { kind: 'answered', status: 201, headers: [], body: new Uint8Array() }
    const { clock, sent, send } = scripted([lost, lost, answered])
    const answer = send(60_000)
    await clock.advance(5000)
    expect(shown(await answer)).toMatchObject({ status: 201 })
    const start = sent[0]?.atMs as number
    expect(sent.map(({ atMs, key }) => [atMs - start, key])).toEqual(
      [0, 500, 1500].map((ms) => [ms, 'wayside-bafyinvocation-3']),
    )
  })

  test('is sent four times at most, and not beyond the deadline', async () => {
    for (const [deadlineMs, times] of [
      [60_000, 4],
      [1000, 2],
    ] as const) {
      const { clock, sent, send } = scripted([lost])
      const answer = send(deadlineMs)
      await clock.advance(70_000)
      expect(shown(await answer)).toMatch(/^E_EFFECT_OUTCOME_UNKNOWN/)
      expect(sent.length).toBe(times)
    }
  })

  test('is not sent again where it was answered, with what is of no use', async () => {
    const { clock, sent, send } = scripted([{ kind: 'unusable', reason: 'no HTTP' }])
    const answer = send(60_000)
    await clock.advance(10_000)
    expect(shown(await answer)).toMatch(/^E_EFFECT_OUTCOME_UNKNOWN .*no HTTP; the request had been sent/)
    expect(sent.length).toBe(1)
  })
})

test('a fetch ends at the deadline of its caller, or when that gives up; it is given up after a minute', async () => {
  const server = await serveRaw(() => {})
  names.set('localhost', [LOCAL])
  const allowed = authority({ fetch: [server.origin] }, { deadlineMs: systemClock.monotonic() + 50 })
  expect(await perform(asked(server.origin), allowed)).toBe(
    `E_FETCH env.API: GET ${server.origin}: no answer came in time`,
  )
  const controller = new AbortController()
  const answer = fetching.prepare(asked(server.origin), authority({ fetch: [server.origin] })).send(controller.signal)
  controller.abort()
  expect(shown(await answer)).toMatch(/^E_FETCH/)

  const clock = new FakeClock()
  const web: Web = {
    resolve: async () => ['127.0.0.1'],
    exchange: (_request, _address, _bytes, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'lost', reason: 'late' }))),
  }
  const far = authority({ fetch: [server.origin] }, { deadlineMs: clock.monotonic() + 3_600_000 })
  let told: Shown | string = ''
  const ended = perform(asked(server.origin), far, new Fetching({ clock, log, web })).then((found) => {
    told = found
  })
  await clock.advance(59_999)
  expect(told).toBe('')
  await clock.advance(1)
  await ended
  expect(told).toMatch(/^E_FETCH .*late$/)
})
