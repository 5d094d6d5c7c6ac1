/** Secrets of this machine's owner, which functions use and never see. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MeshError } from '../../protocol/errors.ts'
import type { Secrets } from '../../protocol/ports.ts'

/** In the data directory: `{ "API_KEY": "…" }`. */
const SECRETS_FILE = 'secrets.json'
/** What a header holds. A shorter one could not be told from other text where a server sends it back. */
const VALUE = /^[\x21-\x7e]{8,4096}$/

const refuse = (message: string): never => {
  throw new MeshError('E_CONFIG', message)
}

/** Of what is wrong in it nothing is quoted. */
const parse = (file: string, text: string): Record<string, unknown> => {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {
    // Said below, without the text that the parser would quote.
  }
  return refuse(`${file} is not what it should be, a JSON object of names and values: { "API_KEY": "…" }`)
}

const readSecrets = async (file: string): Promise<Record<string, unknown>> => {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return {}
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    return refuse(`${file} can be read by others than its owner; chmod 600 ${file}`)
  return parse(file, await readFile(file, 'utf8'))
}

/**
 * From WAYSIDE_SECRET_NAME, else from `secrets.json` in `data`, if there is one, each time anew: one can be replaced while the agent runs.
 * `read` throws MeshError E_CONFIG if others can read the file, or it is damaged, or the value cannot stand in a header.
 */
export const openSecrets = (data: string | undefined, env: NodeJS.ProcessEnv): Secrets => ({
  async read(name) {
    const given = env[`WAYSIDE_SECRET_${name}`]
    const secrets = given === undefined && data !== undefined ? await readSecrets(join(data, SECRETS_FILE)) : {}
    const value = given ?? (Object.hasOwn(secrets, name) ? secrets[name] : undefined)
    if (value === undefined || (typeof value === 'string' && VALUE.test(value))) return value
    return refuse(`the secret ${name} must be text of 8 to 4096 visible ASCII characters`)
  },
})
