/** The programs that must come out the same everywhere: each export of each module in programs/ is one. */
import { readFileSync } from 'node:fs'
import { type Program, programOf } from './program.ts'

interface Subject {
  file: URL
  changes?: Partial<Program>
}

const SUBJECTS: Record<string, Subject> = {
  numerics: { file: new URL('./programs/numerics.js', import.meta.url) },
  integers: { file: new URL('./programs/integers.js', import.meta.url) },
  text: { file: new URL('./programs/text.js', import.meta.url) },
  sorting: { file: new URL('./programs/sorting.js', import.meta.url) },
  regexps: { file: new URL('./programs/regexps.js', import.meta.url) },
  depth: { file: new URL('./programs/depth.js', import.meta.url) },
}

const SHOW = readFileSync(new URL('./programs/show.js', import.meta.url), 'utf8')

const EXPORT = /^export (?:async )?(?:const|function\*?) (?<name>\w+)/gm

const programsIn = (subject: string, { file, changes }: Subject): Program[] => {
  const code = readFileSync(file, 'utf8')
  const names = Array.from(code.matchAll(EXPORT), ({ groups }) => groups?.name as string)
  return names.map((exportName) => programOf(`${subject}.${exportName}`, SHOW + code, { exportName, ...changes }))
}

export const PROGRAMS: readonly Program[] = Object.entries(SUBJECTS).flatMap(([name, one]) => programsIn(name, one))
