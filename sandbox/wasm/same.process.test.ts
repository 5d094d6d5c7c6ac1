/** In the oldest and the newest Node that are supported, with the flags of a sandbox's process and with none. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { SANDBOX_FLAGS } from '../../node/sandbox-host.ts'
import { deepQuestions, kernelQuestions } from './testing/hosts.ts'
import { type Answer, answer, type Question } from './testing/probe.ts'

const PROCESS = fileURLToPath(new URL('./testing/probe-process.ts', import.meta.url))
const INSTALLED = new URL('../../scripts/node-versions/node_modules/', import.meta.url)
const ANSWER_BYTES_MAX = 2 ** 24

let questions: [string, Question][]
let wanted: [string, Answer][]
beforeAll(async () => {
  questions = [...(await kernelQuestions()), ...(await deepQuestions())]
  wanted = questions.map(([name, question]) => [name, answer(question)])
})

test.each([
  ['22', SANDBOX_FLAGS],
  ['26', SANDBOX_FLAGS],
  ['22', []],
  ['26', ['--no-liftoff']],
  ['26', ['--liftoff-only']],
])('Node %s %j answers as this one does', (version, flags) => {
  const program = fileURLToPath(new URL(`node-${version}-linux-${process.arch}/bin/node`, INSTALLED))
  const input = JSON.stringify(questions.map(([, question]) => question))
  const answers: Answer[] = JSON.parse(
    execFileSync(program, [...flags, PROCESS], { input, encoding: 'utf8', maxBuffer: ANSWER_BYTES_MAX }),
  )
  expect(questions.map(([name], index) => [name, answers[index]])).toEqual(wanted)
})
