import { expect, test } from 'vitest'
import type { DelegationSummary } from '../../peer/durable/delegation-rules.ts'
import { MeshError } from '../../protocol/errors.ts'
import { delegationsWords, ensureAllSaid } from './delegation-words.ts'

const [id, peer, cid] = [`bafyrei${'a'.repeat(52)}`, `12D3KooW${'b'.repeat(44)}`, `bafyrei${'c'.repeat(52)}`]
const one: DelegationSummary = {
  ...{ id, caller: undefined, home: peer, function: cid, namespaces: ['orders', 'stock'], effects: ['get'], fuel: 5 },
  ...{ expiresMs: 7_200_000, isRevoked: false, running: 1 },
}

test('a row for each, without a column for whose machine this is', () => {
  const others = [
    { ...one, isRevoked: true, namespaces: [], function: undefined },
    { ...one, expiresMs: 1, namespaces: undefined, running: 1200 },
  ]
  expect(delegationsWords([one, ...others], 0).split('\n')).toEqual([
    `${'ID'.padEnd(id.length)}  HOME         FUNCTION     NAMESPACES     EXPIRES       RUNNING`,
    `${id}  12D3…bbbbbb  bafy…cccccc  orders, stock  in 2 h 0 min  1`,
    `${id}  12D3…bbbbbb  any          none           revoked       1`,
    `${id}  12D3…bbbbbb  bafy…cccccc  any            in 0 s        1,200`,
    '',
  ])
  expect(delegationsWords([{ ...one, caller: peer, home: undefined }], 7_200_000)).toMatch(
    /^ID +CALLER +FUNCTION.*\n.* expired +1\n$/,
  )
})

test('nothing is said in a sentence', () => {
  expect(delegationsWords([], 0)).toMatch(/^nothing goes on by a delegation.*\n$/)
})

test('whoever did not say what it holds is named, with why', () => {
  const missing = (['E_TIMEOUT', 'E_SIGNATURE'] as const).map((code, i) => ({
    ...{ home: `home-${i}`, error: new MeshError(code, `reason ${i}`) },
  }))
  expect(() => ensureAllSaid([])).not.toThrow()
  expect(() => ensureAllSaid(missing)).toThrow(
    expect.objectContaining({
      ...{ code: 'E_TIMEOUT', message: expect.stringMatching(/home-0: reason 0; home-1: reason 1$/) },
    }),
  )
})
