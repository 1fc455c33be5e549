import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { StoredFile } from 'nestjs-storages';
import { IsDocumentPath } from './document-path.js';

const ONE_WEEK = 7 * 24 * 3600;
/** How many entries one page has at most. */
const MOST_SHOWN = 200;

/** Which page of which folder. */
export class PageQuery {
  /** Default: the top. */
  @ApiPropertyOptional({ type: String, example: 'contracts/2026', description: 'Default: the top.' })
  @IsOptional()
  @IsDocumentPath({ message: 'folder must be a path such as contracts/2026' })
  readonly folder?: string;

  /** `next` of the page before. */
  @ApiPropertyOptional({ type: String, description: '`next` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  readonly after?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_SHOWN, default: 50 })
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MOST_SHOWN)
  readonly limit: number = 50;
}

/** Where uploads go. */
export class FolderQuery {
  /** Default: the top. */
  @ApiPropertyOptional({ type: String, example: 'contracts/2026', description: 'Default: the top.' })
  @IsOptional()
  @IsDocumentPath({ message: 'folder must be a path such as contracts/2026' })
  readonly folder?: string;
}

/** Where a document goes. */
export class MoveBody {
  @ApiProperty({ type: String, example: 'contracts/2026/lease.pdf' })
  @IsDocumentPath()
  readonly path!: string;
}

/** How long a link is good. */
export class ShareBody {
  /** Seconds, at most those of seven days. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: ONE_WEEK, default: 3600, description: 'Seconds.' })
  @IsInt()
  @Min(1)
  @Max(ONE_WEEK)
  readonly expiresIn: number = 3600;
}

/** What is told of a document. */
export class DocumentItem {
  @ApiProperty({ type: String, example: 'contracts/2026/lease.pdf' })
  readonly path!: string;

  @ApiProperty({ type: 'integer', description: 'Bytes.' })
  readonly size!: number;

  @ApiProperty({ type: String, example: 'application/pdf', description: 'What its bytes are, not what a client said.' })
  readonly contentType!: string;

  @ApiProperty({ type: String })
  readonly etag!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly storedAt!: string;
}

export function documentItem({ key, size, contentType, etag, lastModified }: StoredFile): DocumentItem {
  return { path: key, size, contentType, etag, storedAt: lastModified.toISOString() };
}

/** One level of the tree, as a folder is shown. */
export class DocumentPage {
  @ApiProperty({ type: [String], example: ['contracts/2026'], description: 'As `folder` takes them.' })
  readonly folders!: readonly string[];

  @ApiProperty({ type: [DocumentItem] })
  readonly documents!: readonly DocumentItem[];

  @ApiProperty({ type: String, nullable: true, description: '`after` of the next page; null at the end.' })
  readonly next!: string | null;
}

/** A link for somebody who has no key. */
export class ShareLink {
  @ApiProperty({ type: String, format: 'uri' })
  readonly url!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly expiresAt!: string;
}

export class Usage {
  @ApiProperty({ type: 'integer' })
  readonly documents!: number;

  @ApiProperty({ type: 'integer', description: 'Bytes.' })
  readonly usedBytes!: number;

  @ApiProperty({ type: 'integer', description: 'Bytes.' })
  readonly totalBytes!: number;
}
