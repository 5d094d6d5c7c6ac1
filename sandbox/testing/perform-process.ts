/** A Node process that performs programs: each message a question, each answer a message. */
import { readFileSync } from 'node:fs'
import { answerQuestion } from './perform.ts'

const wasm = new WebAssembly.Module(new Uint8Array(readFileSync(new URL('../quickjs.wasm', import.meta.url))))

process.on('message', async (question: string) => process.send?.(await answerQuestion(wasm, question)))
process.on('disconnect', () => process.exit())
