/** The INPUT of `run`: JSON, @FILE or -. */
import { readFileSync } from 'node:fs'
import { MeshError } from '../../protocol/errors.ts'
import { type Value, valueFromJson } from '../../protocol/values.ts'

const readStdin = async (): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const readText = async (from: string): Promise<string> => {
  if (from === '-') return readStdin()
  if (!from.startsWith('@')) return from
  try {
    return readFileSync(from.slice(1), 'utf8')
  } catch (cause) {
    throw new MeshError('E_USAGE', `the input file ${from.slice(1)} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Null if nothing is given. Throws MeshError E_INPUT or E_USAGE. */
export const readInput = async (from: string | undefined): Promise<Value> => {
  if (from === undefined) return null
  const text = await readText(from)
  try {
    return valueFromJson(text)
  } catch (cause) {
    const where = from === '-' ? 'stdin' : from.startsWith('@') ? from.slice(1) : 'the input'
    const hint = where === 'the input' ? `; write text as '"Ada"', and name a file as @FILE` : ''
    throw new MeshError('E_INPUT', `${where}: ${(cause as Error).message}${hint}`, { cause })
  }
}
