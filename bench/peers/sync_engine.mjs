// stripe-sync-engine behind fastify, one Node process.
// node sync_engine.mjs PACKAGES migrate | node sync_engine.mjs PACKAGES PORT
// PACKAGES: the folder that npm installed into; PEER_URL and PEER_SECRET are read from the environment.
import { createRequire } from 'node:module'

const [packages, wanted] = process.argv.slice(2)
const require = createRequire(`${packages}/here.js`)
const { StripeSync, runMigrations } = require('@supabase/stripe-sync-engine')
const databaseUrl = process.env.PEER_URL

if (wanted === 'migrate') {
  let failed = false // it says so to its logger, and nowhere else
  const error = (...what) => { failed = true; console.error(...what) }
  await runMigrations({ databaseUrl, schema: 'stripe', logger: { info() {}, error } })
  process.exit(failed ? 1 : 0)
}

const sync = new StripeSync({
  poolConfig: { connectionString: databaseUrl, max: 10 },
  stripeSecretKey: 'sk_test_' + '0'.repeat(24),
  stripeWebhookSecret: process.env.PEER_SECRET,
  backfillRelatedEntities: false, // there is no Stripe to ask
  autoExpandLists: false,
})
const app = require('fastify')({ keepAliveTimeout: 75_000 })
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body))
app.get('/livez', async () => 'ok')
app.post('/hook', async (request, reply) => {
  try {
    await sync.processWebhook(request.body, request.headers['stripe-signature'])
    return reply.code(200).send()
  } catch (error) {
    console.error(error)
    return reply.code(500).send()
  }
})
await app.listen({ host: '127.0.0.1', port: Number(wanted) })
