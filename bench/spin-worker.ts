import { spin } from './spin.ts'

process.on('message', () => process.send?.(spin()))
process.on('disconnect', () => process.exit())
process.send?.('ready')
