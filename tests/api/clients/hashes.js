// Apollo Client and urql ask by GET for a query's hash, and send the text if it is unknown.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";

const { URL: url, TOKEN: token } = process.env;
const headers = { Authorization: `Bearer ${token}` };
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

const apollo = new ApolloClient({
  cache: new InMemoryCache(),
  clientAwareness: { name: "web", version: "1.2" },
  link: ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new HttpLink({ uri: `${url}/graphql`, headers }),
  ]),
});
const query = gql`query Apollo { cases { edges { node { id tagId } } } }`;
for (let time = 0; time < 2; time++) {
  const { data } = await apollo.query({ query, fetchPolicy: "no-cache" });
  console.log(data.cases.edges[0].node.tagId);
}

const urql = new Client({
  url: `${url}/graphql`,
  fetchOptions: { headers },
  exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
});
for (let time = 0; time < 2; time++) {
  const { data, error } = await urql.query("query Urql { cases { edges { node { id tagId } } } }", {});
  if (error) throw error;
  console.log(data.cases.edges[0].node.tagId);
}
