import { expect, test } from 'vitest'
import { Outcome } from '../../protocol/outcome.ts'
import type { SandboxProcess } from '../../protocol/ports.ts'
import { decodeValue, encodeValue, type Value } from '../../protocol/values.ts'
import { encodeFrame } from '../../sandbox/frames.ts'
import { decodeReports } from '../../sandbox/reports.ts'
import { Mischief, mischievous } from './mischief.ts'

/** What a host that is `mischief` says of these results of runs. */
const said = (mischief: Mischief, results: readonly Value[]): Value[] => {
  let tell = (_: Uint8Array) => {}
  const process: SandboxProcess = {
    send: () => {},
    kill: () => {},
    receive: ({ frame }) => {
      tell = frame
    },
  }
  const heard: Value[] = []
  const frame = (bytes: Uint8Array) => {
    for (const report of decodeReports(bytes)) {
      const { result } = Outcome.decode(report[2] as Uint8Array)
      if (result.ok) heard.push(decodeValue(result.value))
    }
  }
  mischievous({ spawn: () => process }, mischief)
    .spawn()
    .receive({ frame, exited: () => {} })
  for (const value of results) {
    const result = { ok: true as const, value: encodeValue(value) }
    const outcome = Outcome.encode({ v: 1, result, requests: [], console: [], fuel: 1, memory_bytes: 1 })
    tell(encodeFrame([['done', 1, outcome, 1]]))
  }
  return heard
}

const FOUND = { number: 27, terms: 112 }

test('an honest one says what it is told', () => {
  expect(said(new Mischief({ lieEvery: 0, delayMs: 0 }), [FOUND, FOUND])).toEqual([FOUND, FOUND])
})

test('one in five is a lie, as soon as it is told so', () => {
  const mischief = new Mischief({ lieEvery: 0, delayMs: 0 })
  mischief.obey({ lieEvery: 5, delayMs: 0 })
  const lies = said(mischief, Array(20).fill(FOUND)).filter((value) => (value as typeof FOUND).terms !== 112)
  expect(lies).toEqual(Array(4).fill({ number: 27, terms: 612 }))
})

test('a picture is spoiled too, and nobody would see it', () => {
  const pixels = Uint8Array.of(100, 100, 100, 1, 1, 1)
  expect(said(new Mischief({ lieEvery: 1, delayMs: 0 }), [{ pixels }])).toEqual([
    { pixels: Uint8Array.of(97, 100, 100, 0, 1, 1) },
  ])
})
