/** A Node process that answers questions about metered modules: a JSON list on standard input, one on standard output. */
import { readFileSync } from 'node:fs'
import { answer } from './probe.ts'

const questions = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(questions.map(answer)))
