import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../../simulations/clock.ts'
import { openLogFile, readLogFile } from './file.ts'
import { followLog, WAITING_LINES_MAX } from './follow.ts'
import { type LogLine, lineOf, lineToText, names } from './line.ts'
import { createAgentLog } from './log.ts'

const PEER = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
const START = Date.UTC(2026, 10, 21, 8, 0, 0)

const directory = (): string => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-log-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  return data
}

const logTo = (lines: LogLine[], level: 'debug' | 'info' | 'warn' = 'info') => {
  const clock = new FakeClock(START)
  const log = createAgentLog(clock, level)
  log.subscribe((line) => lines.push(line))
  return { clock, log }
}

describe('the log', () => {
  test('keeps the level, and carries the fields', () => {
    const lines: LogLine[] = []
    const { log } = logTo(lines)
    log.event('task.started', { task: 'x' })
    log.event('peer.joined', { peer: PEER })
    expect(lines).toEqual([{ time: '2026-11-21T08:00:00.000Z', level: 'info', event: 'peer.joined', peer: PEER }])
  })

  test('writes 20 lines a second of one event, and then how many more there were', async () => {
    const lines: LogLine[] = []
    const { clock, log } = logTo(lines)
    for (let i = 0; i < 1000; i++) log.event('task.answered')
    log.event('peer.left')
    expect(lines).toHaveLength(21)
    await clock.advance(1000)
    expect(lines.at(-1)).toMatchObject({ event: 'task.answered', count: 980 })
    log.event('task.answered')
    expect(lines).toHaveLength(23)
    await clock.advance(5000)
    expect(lines).toHaveLength(23)
  })

  test('of one peer a hundred times as much: it crowds out nobody, and no line is long', async () => {
    const lines: LogLine[] = []
    const { clock, log } = logTo(lines)
    for (let i = 0; i < 500; i++) log.event('peer.misbehaved', { peer: PEER, reason: 'x'.repeat(400_000) })
    log.event('peer.misbehaved', { peer: 'another', reason: 'its own' })
    expect(lines.map(({ peer }) => peer)).toEqual([...new Array(5).fill(PEER), 'another'])
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(5000)
    await clock.advance(1000)
    expect(lines.at(-1)).toMatchObject({ event: 'peer.misbehaved', count: 495 })
  })
})

describe('a line as text', () => {
  test('has short IDs, and nothing that steers a terminal', () => {
    const line = lineOf(START, 'peer.refused', { peer: PEER, code: 'E_TICKET', reason: 'bad\n\u001b[31mticket "x"' })
    const text = lineToText(line, false)
    expect(text.replace(/^\S+/, 'TIME')).toBe(
      'TIME warn  peer.refused     peer=12D3…Kb9K7 code=E_TICKET reason="bad [31mticket \\"x\\""'.replace(
        'Kb9K7',
        'xKb9K7',
      ),
    )
    expect(lineToText(line, true)).toContain('\u001b[33m')
  })

  test('is found by a whole ID, a shortened one, and no other', () => {
    const line = lineOf(START, 'task.refused', { peer: PEER, task: 'bafyabc' })
    expect([PEER, '12D3…xKb9K7', 'bafyabc'].map((id) => names(line, id))).toEqual([true, true, true])
    expect(['12D3…xKb9K8', 'task.refused', 'bafyabd'].map((id) => names(line, id))).toEqual([false, false, false])
  })
})

describe('the file', () => {
  const line = lineOf(START, 'agent.started', { peer: PEER })
  const bytes = JSON.stringify(line).length + 1

  test('is for its owner, and never outgrows two files', () => {
    const data = directory()
    const file = openLogFile(data, 10 * bytes)
    for (let i = 0; i < 35; i++) file.write({ ...line, time: new Date(START + i).toISOString() })
    file.close()
    expect(statSync(join(data, 'log', 'agent.jsonl')).mode & 0o777).toBe(0o600)
    const kept = readLogFile(data)
    expect(kept).toHaveLength(15)
    expect(kept.map(({ time }) => Date.parse(time) - START)).toEqual(Array.from({ length: 15 }, (_, i) => i + 20))
  })

  test('goes on after a line that a crash tore', () => {
    const data = directory()
    openLogFile(data).write(line)
    const path = join(data, 'log', 'agent.jsonl')
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"time":"2026`)
    expect(readLogFile(data)).toEqual([line])
  })
})

describe('following', () => {
  test('gives what is kept and then what comes, each line once, as asked for', async () => {
    const data = directory()
    const { log } = logTo([])
    const file = openLogFile(data)
    log.subscribe((line) => file.write(line))
    log.event('peer.joined', { peer: 'before' })
    const abort = new AbortController()
    const seen: string[] = []
    const reading = (async () => {
      for await (const line of followLog(data, log, { follow: true, about: undefined, signal: abort.signal })) {
        const { peer } = JSON.parse(line)
        seen.push(peer)
        if (peer === 'before') for (const next of ['one', 'two']) log.event('peer.joined', { peer: next })
        if (peer === 'two') setImmediate(() => log.event('peer.joined', { peer: 'three' }))
        if (peer === 'three') abort.abort()
      }
    })()
    await reading
    expect(seen).toEqual(['before', 'one', 'two', 'three'])
    const query = { follow: false, about: 'two', signal: abort.signal }
    const found: string[] = []
    for await (const line of followLog(data, log, query)) found.push(JSON.parse(line).peer)
    expect(found).toEqual(['two'])
  })

  test('keeps a bounded number of lines for a reader that is too slow, and says how many it missed', async () => {
    const data = directory()
    const { clock, log } = logTo([])
    const abort = new AbortController()
    const reading = followLog(data, log, { follow: true, about: undefined, signal: abort.signal })
    const first = reading.next()
    const emitted = 100 * WAITING_LINES_MAX
    for (let n = 0; n < emitted; n += 20) {
      for (let i = 0; i < 20; i++) log.event('peer.joined', { peer: `${n + i}` })
      await clock.advance(1000)
    }
    const lines = [JSON.parse((await first).value as string)]
    for (let line = lines[0]; line.event !== 'log.missed'; lines.push(line))
      line = JSON.parse((await reading.next()).value as string)
    abort.abort()
    expect(lines.slice(0, -1).map(({ peer }) => Number(peer))).toEqual(
      Array.from({ length: lines.length - 1 }, (_, i) => i),
    )
    expect(lines.length - 1).toBeLessThanOrEqual(WAITING_LINES_MAX + 1)
    expect(lines.at(-1)).toMatchObject({ level: 'warn', count: emitted - (lines.length - 1) })
  })
})
