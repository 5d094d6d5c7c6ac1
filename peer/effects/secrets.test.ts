import { describe, expect, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import type { Header } from '../../protocol/ports.ts'
import { type FetchArguments, firstHop } from './fetch-rules.ts'
import { ensureSecretsPlaced, isCredential, withSecrets } from './secrets.ts'

const HERE = 'https://api.example.com'
const GRANTS = new Map([
  ['KEY', { secret: 'API_KEY', origin: HERE, header: 'authorization' }],
  ['PIN', { secret: 'API_PIN', origin: HERE, header: 'x-pin' }],
])
const KEY = '{wayside-secret:KEY}'

const placed = (changes: Partial<FetchArguments>): string => {
  const given = { binding: 'API', url: `${HERE}/`, method: 'POST', headers: [], body: null, ...changes }
  try {
    ensureSecretsPlaced(given, firstHop(given, { fetch: [HERE, 'https://other.example'], methods: ['POST'] }), GRANTS)
    return 'placed'
  } catch (cause) {
    if (cause instanceof MeshError) return `${cause.code} ${cause.message}`
    throw cause
  }
}
const header = (name: string, value: string): Partial<FetchArguments> => ({ headers: [[name, value]] })
const body = (text: string): Partial<FetchArguments> => ({ body: new TextEncoder().encode(text) })

describe('a secret', () => {
  test('stands in its header to its origin, among other words, more than once', () => {
    expect(placed(header('Authorization', `Bearer ${KEY}`))).toBe('placed')
    expect(
      placed({
        headers: [
          ['authorization', `${KEY},${KEY}`],
          ['x-pin', '{wayside-secret:PIN}'],
        ],
      }),
    ).toBe('placed')
  })

  test.each([
    ['in another header', header('x-other', KEY), 'E_GRANT env.KEY: this secret does not go into the header x-other'],
    ['in that of another secret', header('x-pin', KEY), /^E_GRANT env\.KEY: .*the header x-pin/],
    [
      'to another origin',
      { url: 'https://other.example/', ...header('authorization', KEY) },
      /does not go to https:\/\/other\.example/,
    ],
    [
      'that was not granted',
      header('authorization', '{wayside-secret:OTHER}'),
      'E_GRANT env.OTHER: no secret was granted for it',
    ],
    [
      'in the path',
      { url: `${HERE}/${KEY}` },
      'E_GRANT env.KEY: a secret goes into a header only, and stands in the URL',
    ],
    ['in the query', { url: `${HERE}/?key=${KEY}` }, /stands in the URL/],
    ['in the path, encoded', { url: `${HERE}/%7Bwayside-secret:KEY%7D` }, /^E_GRANT env\.KEY: .*stands in the URL/],
    [
      'in the query, encoded',
      { url: `${HERE}/?k=%7bwayside-secret%3AKEY%7d` },
      /^E_GRANT env\.KEY: .*stands in the URL/,
    ],
    [
      'in the body',
      body(`{"key":"${KEY}"}`),
      'E_GRANT env.KEY: a secret goes into a header only, and stands in the body',
    ],
    ['in a form', body('a=1&key=%7Bwayside-secret%3AKEY%7D'), /^E_GRANT env\.KEY: .*stands in the body/],
  ] as [string, Partial<FetchArguments>, string | RegExp][])('%s is refused', (_, changes, refusal) => {
    expect(placed(changes)).toMatch(refusal)
  })
})

test('values are put in place of placeholders, character for character', () => {
  const headers: Header[] = [
    ['authorization', `Bearer ${KEY}`],
    ['x-pin', '{wayside-secret:PIN}{wayside-secret:PIN}'],
    ['accept', '{wayside-secret:}'],
  ]
  expect(
    withSecrets(
      headers,
      new Map([
        ['KEY', '$&$1\\'],
        ['PIN', KEY],
      ]),
    ),
  ).toEqual([
    ['authorization', 'Bearer $&$1\\'],
    ['x-pin', KEY + KEY],
    ['accept', '{wayside-secret:}'],
  ])
})

test('credentials are what says who asks', () => {
  expect(
    [
      ['authorization', 'Basic x'],
      ['x-any', `a ${KEY}`],
    ].every((one) => isCredential(one as unknown as Header)),
  ).toBe(true)
  expect(isCredential(['accept', '*/*'])).toBe(false)
})
