// Tags of objects at an S3 origin.
import {
  DeleteObjectTaggingCommand,
  GetObjectTaggingCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Tagging, Tags, VersionRef } from '../backend.ts';
import { call, named } from './calls.ts';

export class S3Tagging implements Tagging {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async get(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['get']> {
    const command = new GetObjectTaggingCommand(versioned(ref));
    const answer = await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
    const tags = (answer.TagSet ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value] as const);
    return { tags: Object.fromEntries(tags), versionId: answer.VersionId };
  }

  async set(ref: VersionRef, tags: Tags, signal: AbortSignal): ReturnType<Tagging['set']> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const command = new PutObjectTaggingCommand({ ...versioned(ref), Tagging: { TagSet } });
    const answer = await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
    return { versionId: answer.VersionId };
  }

  async delete(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['delete']> {
    const command = new DeleteObjectTaggingCommand(versioned(ref));
    const answer = await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
    return { versionId: answer.VersionId };
  }

  #call<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return call(this.#client, send, signal);
  }
}

function versioned(ref: VersionRef) {
  return { ...named(ref), VersionId: ref.versionId };
}
