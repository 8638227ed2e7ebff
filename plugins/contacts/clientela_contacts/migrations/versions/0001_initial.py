"""Initial.

Revision contacts_0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

from clientela.storage import types

revision = 'contacts_0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contacts_group',
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('about', types.plain_text(), nullable=True),
        sa.Column('owner_id', types.Key(), nullable=True),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['core_user.id'], name=op.f('fk_contacts_group_owner_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts_group'))
    )
    op.create_index('ix_contacts_group_created_at', 'contacts_group', ['created_at', 'id'], unique=False)
    op.create_index('ix_contacts_group_owner_id', 'contacts_group', ['owner_id'], unique=False)
    op.create_index('ix_contacts_group_updated_at', 'contacts_group', ['updated_at', 'id'], unique=False)
    op.create_index('uq_contacts_group_name', 'contacts_group', ['name'], unique=True)
    op.create_table('contacts_employment',
        sa.Column('person_id', types.Key(), nullable=False),
        sa.Column('organization_id', types.Key(), nullable=False),
        sa.Column('title', types.plain_text(), nullable=True),
        sa.Column('department', types.plain_text(), nullable=True),
        sa.Column('role', types.plain_text(), nullable=True),
        sa.Column('started_on', types.Day(), nullable=True),
        sa.Column('ended_on', types.Day(), nullable=True),
        sa.Column('primary', sa.Boolean(), nullable=False),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['organization_id'], ['core_customer.id'], name=op.f('fk_contacts_employment_organization_id')),
        sa.ForeignKeyConstraint(['person_id'], ['core_customer.id'], name=op.f('fk_contacts_employment_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts_employment'))
    )
    op.create_index('ix_contacts_employment_created_at', 'contacts_employment', ['created_at', 'id'], unique=False)
    op.create_index('ix_contacts_employment_organization_id', 'contacts_employment', ['organization_id'], unique=False)
    op.create_index('ix_contacts_employment_person_id', 'contacts_employment', ['person_id'], unique=False)
    op.create_index('ix_contacts_employment_started_on', 'contacts_employment', ['started_on', 'id'], unique=False)
    op.create_index('ix_contacts_employment_updated_at', 'contacts_employment', ['updated_at', 'id'], unique=False)
    op.create_table('contacts_membership',
        sa.Column('group_id', types.Key(), nullable=False),
        sa.Column('customer_id', types.Key(), nullable=False),
        sa.Column('id', types.Key(), nullable=False),
        sa.Column('rev', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.Instant(), nullable=False),
        sa.Column('created_by', types.plain_text(), nullable=False),
        sa.Column('updated_at', types.Instant(), nullable=False),
        sa.Column('updated_by', types.plain_text(), nullable=False),
        sa.Column('deleted_at', types.Instant(), nullable=True),
        sa.Column('custom', types.json_type(), nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['core_customer.id'], name=op.f('fk_contacts_membership_customer_id')),
        sa.ForeignKeyConstraint(['group_id'], ['contacts_group.id'], name=op.f('fk_contacts_membership_group_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts_membership'))
    )
    op.create_index('ix_contacts_membership_created_at', 'contacts_membership', ['created_at', 'id'], unique=False)
    op.create_index('ix_contacts_membership_customer_id', 'contacts_membership', ['customer_id'], unique=False)
    op.create_index('ix_contacts_membership_group_id', 'contacts_membership', ['group_id'], unique=False)
    op.create_index('ix_contacts_membership_updated_at', 'contacts_membership', ['updated_at', 'id'], unique=False)
    op.create_index('uq_contacts_membership_group_id_customer_id', 'contacts_membership', ['group_id', 'customer_id'], unique=True)


def downgrade() -> None:
    op.drop_table('contacts_membership')
    op.drop_table('contacts_employment')
    op.drop_table('contacts_group')
