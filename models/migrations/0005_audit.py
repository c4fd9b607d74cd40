from tortoise import migrations
from tortoise.migrations import operations as ops
from models.audit import Action
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0004_searches')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('app_id', fields.BigIntField()),
                ('action', fields.CharEnumField(description='What was done.', enum_type=Action, max_length=20)),
                ('actor', fields.CharField(max_length=200)),
                ('token_id', fields.BigIntField(null=True)),
                ('target_id', fields.BigIntField()),
                ('target_name', fields.CharField(null=True, max_length=200)),
                ('changed', ArrayField(element_type='TEXT')),
                ('occurred_at', fields.DatetimeField(db_default=Now(), auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'audit_events', 'app': 'models', 'indexes': [Index(fields=['app_id', 'id'])], 'pk_attr': 'id', 'table_description': 'One deed. What changed is told by the names of fields, never by what stands in them.'},
            bases=['Model'],
        ),
    ]
