/** What a fetch is made of, without fetch itself. */
export { Headers } from './headers.ts'
export { Request, type RequestInit } from './request.ts'
export { Response } from './response.ts'
