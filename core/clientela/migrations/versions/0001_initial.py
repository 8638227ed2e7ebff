"""Initial.

Revision core_0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

from clientela.storage import types

revision = 'core_0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('core_attachment',
        sa.Column('subject_prefix', types.plain_text(), nullable=False),
        sa.Column('subject_id', types.Key(), nullable=False),
        sa.Column('file', types.json_type(), nullable=False),
        sa.Column('file_sha256', types.plain_text(), nullable=False),
        sa.Column('note', types.plain_text(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_attachment'))
    )
    op.create_index('ix_core_attachment_created_at', 'core_attachment', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_attachment_file_sha256', 'core_attachment', ['file_sha256'], unique=False)
    op.create_index('ix_core_attachment_subject_id', 'core_attachment', ['subject_id'], unique=False)
    op.create_index('ix_core_attachment_updated_at', 'core_attachment', ['updated_at', 'id'], unique=False)
    op.create_table('core_change_set',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('actor', types.plain_text(), nullable=False),
        sa.Column('face', types.plain_text(), nullable=False),
        sa.Column('action', types.plain_text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('cause', types.Key(), nullable=True),
        sa.Column('undoes', types.Key(), nullable=True),
        sa.Column('part_of', types.Key(), nullable=True),
        sa.Column('request_id', types.plain_text(), nullable=True),
        sa.Column('rows', sa.Integer(), nullable=False),
        sa.Column('confidence', sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_change_set'))
    )
    op.create_index('ix_core_change_set_part_of', 'core_change_set', ['part_of'], unique=False)
    op.create_index('ix_core_change_set_undoes', 'core_change_set', ['undoes'], unique=False)
    op.create_table('core_custom_field',
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('kind', types.plain_text(), nullable=False),
        sa.Column('options', types.json_type(), nullable=False),
        sa.Column('label', types.plain_text(), nullable=False),
        sa.Column('label_ru', types.plain_text(), nullable=True),
        sa.Column('help', types.plain_text(), nullable=True),
        sa.Column('help_ru', types.plain_text(), nullable=True),
        sa.Column('required', sa.Boolean(), nullable=False),
        sa.Column('unique', sa.Boolean(), nullable=False),
        sa.Column('default', types.json_type(), nullable=True),
        sa.Column('filter', sa.Boolean(), nullable=False),
        sa.Column('search', sa.Boolean(), nullable=False),
        sa.Column('field_class', types.plain_text(), nullable=True),
        sa.Column('position', sa.BigInteger(), nullable=False),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('indexed', sa.Boolean(), nullable=False),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_custom_field'))
    )
    op.create_index('ix_core_custom_field_created_at', 'core_custom_field', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_custom_field_entity', 'core_custom_field', ['entity', 'id'], unique=False)
    op.create_index('ix_core_custom_field_name', 'core_custom_field', ['name', 'id'], unique=False)
    op.create_index('ix_core_custom_field_updated_at', 'core_custom_field', ['updated_at', 'id'], unique=False)
    op.create_index('uq_core_custom_field_entity_name', 'core_custom_field', ['entity', 'name'], unique=True)
    op.create_table('core_external_key',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('source', types.plain_text(), nullable=False),
        sa.Column('key', types.plain_text(), nullable=False),
        sa.Column('record_id', types.Key(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_external_key'))
    )
    op.create_index('ix_core_external_key_record_id', 'core_external_key', ['record_id'], unique=False)
    op.create_index('uq_core_external_key', 'core_external_key', ['entity', 'source', 'key'], unique=True)
    op.create_table('core_idempotency',
        sa.Column('id', types.plain_text(), nullable=False),
        sa.Column('fingerprint', types.plain_text(), nullable=False),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('status', sa.Integer(), nullable=False),
        sa.Column('headers', types.json_type(), nullable=False),
        sa.Column('media', types.plain_text(), nullable=False),
        sa.Column('body', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_idempotency'))
    )
    op.create_index('ix_core_idempotency_at', 'core_idempotency', ['at'], unique=False)
    op.create_table('core_import_failed_row',
        sa.Column('import_id', types.Key(), nullable=False),
        sa.Column('row', sa.Integer(), nullable=False),
        sa.Column('cells', types.json_type(), nullable=False),
        sa.Column('problems', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('import_id', 'row', name=op.f('pk_core_import_failed_row'))
    )
    op.create_table('core_import_run',
        sa.Column('import_id', types.Key(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('report', types.json_type(), nullable=True),
        sa.Column('beat_at', types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint('import_id', name=op.f('pk_core_import_run'))
    )
    op.create_table('core_meta',
        sa.Column('key', types.plain_text(), nullable=False),
        sa.Column('value', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_core_meta'))
    )
    op.create_table('core_outbox',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('set_id', types.Key(), nullable=True),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('actor', types.plain_text(), nullable=False),
        sa.Column('fact', types.plain_text(), nullable=False),
        sa.Column('payload', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_outbox'))
    )
    op.create_table('core_role',
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('about', types.plain_text(), nullable=True),
        sa.Column('permissions', types.json_type(), nullable=False),
        sa.Column('scopes', types.json_type(), nullable=False),
        sa.Column('hidden_classes', types.json_type(), nullable=False),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_role'))
    )
    op.create_index('ix_core_role_created_at', 'core_role', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_role_updated_at', 'core_role', ['updated_at', 'id'], unique=False)
    op.create_index('uq_core_role_name', 'core_role', ['name'], unique=True)
    op.create_table('core_search',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('record_id', types.Key(), nullable=False),
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('words', types.word_list(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_search'))
    )
    op.create_index('uq_core_search_record_id', 'core_search', ['record_id'], unique=True)
    op.create_table('core_upload',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('sha256', types.plain_text(), nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('type', types.plain_text(), nullable=False),
        sa.Column('by', types.plain_text(), nullable=False),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('used', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_upload'))
    )
    op.create_index('ix_core_upload_at', 'core_upload', ['at'], unique=False)
    op.create_index('ix_core_upload_sha256', 'core_upload', ['sha256', 'by'], unique=False)
    op.create_table('core_user',
        sa.Column('email', types.plain_text(), nullable=False),
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('language', types.plain_text(), nullable=True),
        sa.Column('time_zone', types.plain_text(), nullable=True),
        sa.Column('roles', types.json_type(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('password_hash', types.plain_text(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_user'))
    )
    op.create_index('ix_core_user_created_at', 'core_user', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_user_name', 'core_user', ['name', 'id'], unique=False)
    op.create_index('ix_core_user_updated_at', 'core_user', ['updated_at', 'id'], unique=False)
    op.create_index('uq_core_user_email', 'core_user', ['email'], unique=True)
    op.create_table('core_change',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('set_id', types.Key(), nullable=False),
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('record_id', types.Key(), nullable=False),
        sa.Column('kind', types.plain_text(), nullable=False),
        sa.Column('rev', sa.Integer(), nullable=False),
        sa.Column('before', types.json_type(), nullable=True),
        sa.ForeignKeyConstraint(['set_id'], ['core_change_set.id'], name=op.f('fk_core_change_set_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_change'))
    )
    op.create_index('ix_core_change_record', 'core_change', ['record_id', 'id'], unique=False)
    op.create_index('ix_core_change_set', 'core_change', ['set_id'], unique=False)
    op.create_table('core_customer',
        sa.Column('kind', types.plain_text(), nullable=False),
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('person', types.json_type(), nullable=True),
        sa.Column('legal_name', types.plain_text(), nullable=True),
        sa.Column('email', types.plain_text(), nullable=True),
        sa.Column('phone', types.plain_text(), nullable=True),
        sa.Column('country', types.plain_text(), nullable=True),
        sa.Column('birth_date', types.Day(), nullable=True),
        sa.Column('language', types.plain_text(), nullable=True),
        sa.Column('time_zone', types.plain_text(), nullable=True),
        sa.Column('website', types.plain_text(), nullable=True),
        sa.Column('source', types.plain_text(), nullable=True),
        sa.Column('tags', types.json_type(), nullable=False),
        sa.Column('note', types.plain_text(), nullable=True),
        sa.Column('owner_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['core_user.id'], name=op.f('fk_core_customer_owner_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_customer'))
    )
    op.create_index('ix_core_customer_created_at', 'core_customer', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_customer_email', 'core_customer', ['email'], unique=False)
    op.create_index('ix_core_customer_name', 'core_customer', ['name', 'id'], unique=False)
    op.create_index('ix_core_customer_owner_id', 'core_customer', ['owner_id'], unique=False)
    op.create_index('ix_core_customer_phone', 'core_customer', ['phone'], unique=False)
    op.create_index('ix_core_customer_updated_at', 'core_customer', ['updated_at', 'id'], unique=False)
    op.create_table('core_delivery',
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('outbox_id', types.Key(), nullable=False),
        sa.Column('subscriber', types.plain_text(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('due_at', types.Instant(), nullable=False),
        sa.Column('dead', sa.Boolean(), nullable=False),
        sa.Column('error', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['outbox_id'], ['core_outbox.id'], name=op.f('fk_core_delivery_outbox_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_delivery'))
    )
    op.create_index('ix_core_delivery_due', 'core_delivery', ['dead', 'due_at'], unique=False)
    op.create_table('core_import',
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('file', types.json_type(), nullable=False),
        sa.Column('file_sha256', types.plain_text(), nullable=False),
        sa.Column('options', types.json_type(), nullable=False),
        sa.Column('state', types.plain_text(), nullable=False),
        sa.Column('reason', types.plain_text(), nullable=True),
        sa.Column('set_id', types.plain_text(), nullable=True),
        sa.Column('started_by', types.plain_text(), nullable=True),
        sa.Column('owner_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['core_user.id'], name=op.f('fk_core_import_owner_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_import'))
    )
    op.create_index('ix_core_import_created_at', 'core_import', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_import_file_sha256', 'core_import', ['file_sha256'], unique=False)
    op.create_index('ix_core_import_owner_id', 'core_import', ['owner_id'], unique=False)
    op.create_index('ix_core_import_updated_at', 'core_import', ['updated_at', 'id'], unique=False)
    op.create_table('core_import_template',
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('options', types.json_type(), nullable=False),
        sa.Column('owner_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['core_user.id'], name=op.f('fk_core_import_template_owner_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_import_template'))
    )
    op.create_index('ix_core_import_template_created_at', 'core_import_template', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_import_template_owner_id', 'core_import_template', ['owner_id'], unique=False)
    op.create_index('ix_core_import_template_updated_at', 'core_import_template', ['updated_at', 'id'], unique=False)
    op.create_index('uq_core_import_template_name', 'core_import_template', ['name'], unique=True)
    op.create_table('core_saved_view',
        sa.Column('entity', types.plain_text(), nullable=False),
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('label', types.plain_text(), nullable=True),
        sa.Column('description', types.plain_text(), nullable=True),
        sa.Column('filter', types.plain_text(), nullable=True),
        sa.Column('sort', types.plain_text(), nullable=True),
        sa.Column('columns', types.plain_text(), nullable=True),
        sa.Column('expand', types.plain_text(), nullable=True),
        sa.Column('layout', types.plain_text(), nullable=False),
        sa.Column('options', types.json_type(), nullable=False),
        sa.Column('sharing', types.plain_text(), nullable=False),
        sa.Column('team', types.json_type(), nullable=False),
        sa.Column('position', sa.BigInteger(), nullable=False),
        sa.Column('pinned', sa.Boolean(), nullable=False),
        sa.Column('owner_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['core_user.id'], name=op.f('fk_core_saved_view_owner_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_saved_view'))
    )
    op.create_index('ix_core_saved_view_created_at', 'core_saved_view', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_saved_view_entity', 'core_saved_view', ['entity', 'id'], unique=False)
    op.create_index('ix_core_saved_view_name', 'core_saved_view', ['name', 'id'], unique=False)
    op.create_index('ix_core_saved_view_owner_id', 'core_saved_view', ['owner_id'], unique=False)
    op.create_index('ix_core_saved_view_position', 'core_saved_view', ['position', 'id'], unique=False)
    op.create_index('ix_core_saved_view_updated_at', 'core_saved_view', ['updated_at', 'id'], unique=False)
    op.create_table('core_token',
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('start', types.plain_text(), nullable=False),
        sa.Column('digest', types.plain_text(), nullable=False),
        sa.Column('user_id', types.Key(), nullable=True),
        sa.Column('roles', types.json_type(), nullable=False),
        sa.Column('permissions', types.json_type(), nullable=True),
        sa.Column('expires_at', types.Instant(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['core_user.id'], name=op.f('fk_core_token_user_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_token'))
    )
    op.create_index('ix_core_token_created_at', 'core_token', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_token_updated_at', 'core_token', ['updated_at', 'id'], unique=False)
    op.create_index('ix_core_token_user_id', 'core_token', ['user_id'], unique=False)
    op.create_index('uq_core_token_digest', 'core_token', ['digest'], unique=True)
    op.create_table('core_address',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('purpose', types.plain_text(), nullable=False),
        sa.Column('address', types.json_type(), nullable=False),
        sa.Column('primary', sa.Boolean(), nullable=False),
        sa.Column('valid_from', types.Day(), nullable=True),
        sa.Column('valid_to', types.Day(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_address_customer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_address'))
    )
    op.create_index('ix_core_address_created_at', 'core_address', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_address_customer_id', 'core_address', ['customer_id'], unique=False)
    op.create_index('ix_core_address_updated_at', 'core_address', ['updated_at', 'id'], unique=False)
    op.create_table('core_card_detail',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('stands_for', types.plain_text(), nullable=True),
        sa.Column('text', types.plain_text(), nullable=False),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_card_detail_customer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_card_detail'))
    )
    op.create_index('ix_core_card_detail_created_at', 'core_card_detail', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_card_detail_customer_id', 'core_card_detail', ['customer_id'], unique=False)
    op.create_index('ix_core_card_detail_updated_at', 'core_card_detail', ['updated_at', 'id'], unique=False)
    op.create_table('core_consent',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('purpose', types.plain_text(), nullable=False),
        sa.Column('channel', types.plain_text(), nullable=False),
        sa.Column('state', types.plain_text(), nullable=False),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('source', types.plain_text(), nullable=False),
        sa.Column('wording', types.plain_text(), nullable=True),
        sa.Column('proof', types.json_type(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_consent_customer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_consent'))
    )
    op.create_index('ix_core_consent_at', 'core_consent', ['at', 'id'], unique=False)
    op.create_index('ix_core_consent_created_at', 'core_consent', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_consent_customer_id', 'core_consent', ['customer_id'], unique=False)
    op.create_index('ix_core_consent_updated_at', 'core_consent', ['updated_at', 'id'], unique=False)
    op.create_table('core_decision',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('question', types.plain_text(), nullable=False),
        sa.Column('options', types.json_type(), nullable=False),
        sa.Column('chosen', types.plain_text(), nullable=False),
        sa.Column('reason', types.plain_text(), nullable=False),
        sa.Column('evidence', types.json_type(), nullable=False),
        sa.Column('decided_at', types.Instant(), nullable=False),
        sa.Column('decided_by', types.plain_text(), nullable=False),
        sa.Column('reversible_until', types.Instant(), nullable=True),
        sa.Column('outcome', types.plain_text(), nullable=True),
        sa.Column('outcome_at', types.Instant(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_decision_customer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_decision'))
    )
    op.create_index('ix_core_decision_created_at', 'core_decision', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_decision_customer_id', 'core_decision', ['customer_id'], unique=False)
    op.create_index('ix_core_decision_decided_at', 'core_decision', ['decided_at', 'id'], unique=False)
    op.create_index('ix_core_decision_updated_at', 'core_decision', ['updated_at', 'id'], unique=False)
    op.create_table('core_identifier',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('kind', types.plain_text(), nullable=False),
        sa.Column('value', types.plain_text(), nullable=False),
        sa.Column('source', types.plain_text(), nullable=True),
        sa.Column('verified_at', types.Instant(), nullable=True),
        sa.Column('valid_from', types.Day(), nullable=True),
        sa.Column('valid_to', types.Day(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_identifier_customer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_identifier'))
    )
    op.create_index('ix_core_identifier_created_at', 'core_identifier', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_identifier_customer_id', 'core_identifier', ['customer_id'], unique=False)
    op.create_index('ix_core_identifier_updated_at', 'core_identifier', ['updated_at', 'id'], unique=False)
    op.create_index('ix_core_identifier_value', 'core_identifier', ['value'], unique=False)
    op.create_index('uq_core_identifier_customer_id_kind_value', 'core_identifier', ['customer_id', 'kind', 'value'], unique=True)
    op.create_table('core_interaction',
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('channel', types.plain_text(), nullable=False),
        sa.Column('direction', types.plain_text(), nullable=False),
        sa.Column('at', types.Instant(), nullable=False),
        sa.Column('subject', types.plain_text(), nullable=False),
        sa.Column('body', types.plain_text(), nullable=True),
        sa.Column('parties', types.json_type(), nullable=False),
        sa.Column('duration', sa.BigInteger(), nullable=True),
        sa.Column('outcome', types.plain_text(), nullable=True),
        sa.Column('data', types.json_type(), nullable=False),
        sa.Column('provider', types.plain_text(), nullable=True),
        sa.Column('provider_id', types.plain_text(), nullable=True),
        sa.Column('employee_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_core_interaction_customer_id')),
        sa.ForeignKeyConstraint(['employee_id'], ['core_user.id'], name=op.f('fk_core_interaction_employee_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_core_interaction'))
    )
    op.create_index('ix_core_interaction_at', 'core_interaction', ['at', 'id'], unique=False)
    op.create_index('ix_core_interaction_created_at', 'core_interaction', ['created_at', 'id'], unique=False)
    op.create_index('ix_core_interaction_customer_at', 'core_interaction', ['customer_id', 'at'], unique=False)
    op.create_index('ix_core_interaction_customer_id', 'core_interaction', ['customer_id'], unique=False)
    op.create_index('ix_core_interaction_employee_id', 'core_interaction', ['employee_id'], unique=False)
    op.create_index('ix_core_interaction_updated_at', 'core_interaction', ['updated_at', 'id'], unique=False)
    op.create_index('uq_core_interaction_provider_provider_id', 'core_interaction', ['provider', 'provider_id'], unique=True)
    if types.is_sqlite(op.get_bind().dialect):
        op.execute('CREATE VIRTUAL TABLE core_search_fts USING fts5(words, content=\'core_search\', content_rowid=\'id\', tokenize="ascii tokenchars \'~$^=\'", detail=none, columnsize=0)')
        op.execute('CREATE TRIGGER core_search_ai AFTER INSERT ON core_search BEGIN INSERT INTO core_search_fts(rowid, words) VALUES (new.id, new.words); END')
        op.execute("CREATE TRIGGER core_search_ad AFTER DELETE ON core_search BEGIN INSERT INTO core_search_fts(core_search_fts, rowid, words) VALUES ('delete', old.id, old.words); END")
        op.execute("CREATE TRIGGER core_search_au AFTER UPDATE ON core_search BEGIN INSERT INTO core_search_fts(core_search_fts, rowid, words) VALUES ('delete', old.id, old.words); INSERT INTO core_search_fts(rowid, words) VALUES (new.id, new.words); END")
    else:
        op.execute('CREATE INDEX ix_core_search_words ON core_search USING gin (words)')


def downgrade() -> None:
    if types.is_sqlite(op.get_bind().dialect):
        op.execute('DROP TABLE core_search_fts')
    else:
        op.execute('DROP INDEX ix_core_search_words')
    op.drop_table('core_interaction')
    op.drop_table('core_identifier')
    op.drop_table('core_decision')
    op.drop_table('core_consent')
    op.drop_table('core_card_detail')
    op.drop_table('core_address')
    op.drop_table('core_token')
    op.drop_table('core_saved_view')
    op.drop_table('core_import_template')
    op.drop_table('core_import')
    op.drop_table('core_delivery')
    op.drop_table('core_customer')
    op.drop_table('core_change')
    op.drop_table('core_user')
    op.drop_table('core_upload')
    op.drop_table('core_search')
    op.drop_table('core_role')
    op.drop_table('core_outbox')
    op.drop_table('core_meta')
    op.drop_table('core_import_run')
    op.drop_table('core_import_failed_row')
    op.drop_table('core_idempotency')
    op.drop_table('core_external_key')
    op.drop_table('core_custom_field')
    op.drop_table('core_change_set')
    op.drop_table('core_attachment')
