import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MeshError } from '../../protocol/errors.ts'
import { openSecrets } from './secrets.ts'

const VALUE = 'sk_live_0123456789'

/** Secrets of a data directory with this file in it. */
const secretsIn = (text: string | undefined, { mode = 0o600, env = {} } = {}) => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-secrets-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const write = (content: string) => {
    writeFileSync(join(data, 'secrets.json'), content)
    chmodSync(join(data, 'secrets.json'), mode)
  }
  if (text !== undefined) write(text)
  return { secrets: openSecrets(data, env), write }
}
const refusal = (read: Promise<unknown>): Promise<string> =>
  read.then(
    () => 'read',
    (cause) => (cause instanceof MeshError ? `${cause.code} ${cause.message} ${cause.cause ?? ''}` : String(cause)),
  )

test('secrets come from the environment, else from the file, as it is now', async () => {
  const { secrets, write } = secretsIn(JSON.stringify({ A: VALUE, B: `${VALUE}b` }), {
    env: { WAYSIDE_SECRET_A: `${VALUE}!` },
  })
  expect(await secrets.read('A')).toBe(`${VALUE}!`)
  expect(await secrets.read('B')).toBe(`${VALUE}b`)
  expect(await secrets.read('C')).toBeUndefined()
  expect(await secrets.read('toString')).toBeUndefined()
  write(JSON.stringify({ B: `${VALUE}new` }))
  expect(await secrets.read('B')).toBe(`${VALUE}new`)
  expect(await secretsIn(undefined).secrets.read('A')).toBeUndefined()
})

test.each([0o644, 0o640, 0o620, 0o666])('a file of mode %i is not read', async (mode) => {
  const { secrets } = secretsIn(JSON.stringify({ A: VALUE }), { mode })
  expect(await refusal(secrets.read('A'))).toMatch(
    /^E_CONFIG .*secrets\.json can be read by others than its owner; chmod 600 /,
  )
})

test.each(['', '{', `{"A": "${VALUE}",}`, `["${VALUE}"]`, 'null', `"${VALUE}"`])(
  '%j is no such file, and nothing of it is quoted',
  async (text) => {
    const message = await refusal(secretsIn(text).secrets.read('A'))
    expect(message).toMatch(/^E_CONFIG .*secrets\.json is not what it should be, a JSON object of names and values/)
    expect(message).not.toContain('sk_live')
  },
)

test.each([
  'short',
  `${VALUE} `,
  `${VALUE}\r\nHost: evil`,
  `${VALUE}é`,
  '',
  'x'.repeat(4097),
  12_345_678,
  null,
  [VALUE],
])('%j is no secret, and is not quoted', async (value) => {
  expect(await refusal(secretsIn(JSON.stringify({ A: value })).secrets.read('A'))).toBe(
    'E_CONFIG the secret A must be text of 8 to 4096 visible ASCII characters ',
  )
})
