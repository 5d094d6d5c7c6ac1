/** What a fetch is made of; fetch itself is a binding's (fetcher.ts). */
export { Headers } from './headers.ts'
export { bodyOf, Request, type RequestInit } from './request.ts'
export { fetched, Response } from './response.ts'
