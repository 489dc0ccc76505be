// Oracle answers groups with the assignors of Apache Kafka: one JSON object per line on the standard input, the same with
// a field "expect" on the standard output. A null stands where Kafka throws, or where its answer is none: a partition
// given to two members or to one that does not subscribe.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.common.*;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.*;

public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode group = (ObjectNode) JSON.readTree(line);
            Map<String, Object> expect = new TreeMap<>();
            expect.put("range", client(group, new org.apache.kafka.clients.consumer.RangeAssignor()));
            expect.put("roundrobin", client(group, new RoundRobinAssignor()));
            expect.put("sticky", client(group, new StickyAssignor()));
            expect.put("cooperative-sticky", client(group, new CooperativeStickyAssignor()));
            expect.put("uniform", server(group, new UniformAssignor()));
            expect.put("server-range", server(group, new org.apache.kafka.coordinator.group.assignor.RangeAssignor()));
            group.set("expect", JSON.valueToTree(expect));
            out.println(JSON.writeValueAsString(group));
        }
        out.flush();
    }

    static List<TopicPartition> owned(JsonNode member) {
        List<TopicPartition> list = new ArrayList<>();
        member.path("owned").fields().forEachRemaining(
            e -> e.getValue().forEach(p -> list.add(new TopicPartition(e.getKey(), p.asInt()))));
        return list;
    }

    static List<String> topics(JsonNode member) {
        List<String> list = new ArrayList<>();
        member.path("topics").forEach(t -> list.add(t.asText()));
        return list;
    }

    static Optional<String> text(JsonNode member, String field) {
        return member.has(field) ? Optional.of(member.get(field).asText()) : Optional.empty();
    }

    /** The user data of StickyAssignor, version 1: arrays of (topic, partitions), then the generation. */
    static ByteBuffer stickyUserData(List<TopicPartition> owned, int generation) {
        Map<String, List<Integer>> byTopic = new LinkedHashMap<>();
        owned.forEach(tp -> byTopic.computeIfAbsent(tp.topic(), t -> new ArrayList<>()).add(tp.partition()));
        ByteBuffer b = ByteBuffer.allocate(1 << 16);
        b.putInt(byTopic.size());
        byTopic.forEach((topic, partitions) -> {
            byte[] name = topic.getBytes(StandardCharsets.UTF_8);
            b.putShort((short) name.length).put(name).putInt(partitions.size());
            partitions.forEach(b::putInt);
        });
        b.putInt(generation).flip();
        return b;
    }

    static Object client(JsonNode group, ConsumerPartitionAssignor assignor) {
        Map<String, Node> nodes = new TreeMap<>();
        List<PartitionInfo> partitions = new ArrayList<>();
        for (JsonNode topic : group.get("topics")) {
            for (int p = 0; p < topic.get("partitions").asInt(); p++) {
                List<Node> replicas = new ArrayList<>();
                topic.path("racks").path(p).forEach(r -> replicas.add(
                    nodes.computeIfAbsent(r.asText(), name -> new Node(nodes.size(), "host", 9092, name))));
                Node[] all = replicas.toArray(new Node[0]);
                partitions.add(new PartitionInfo(topic.get("name").asText(), p, all.length == 0 ? null : all[0], all, all));
            }
        }
        Cluster cluster = new Cluster("cluster", nodes.values(), partitions, Set.of(), Set.of());
        Map<String, Subscription> subscriptions = new LinkedHashMap<>();
        Map<String, List<String>> wants = new HashMap<>();
        for (JsonNode m : group.get("members")) {
            int generation = m.path("generation").asInt(-1);
            List<TopicPartition> owned = owned(m);
            ByteBuffer userData = assignor instanceof StickyAssignor ? stickyUserData(owned, generation) : null;
            Subscription s = new Subscription(topics(m), userData, owned, generation, text(m, "rack"));
            s.setGroupInstanceId(text(m, "instance"));
            subscriptions.put(m.get("id").asText(), s);
            wants.put(m.get("id").asText(), topics(m));
        }
        try {
            Map<String, Map<String, Set<Integer>>> result = new HashMap<>();
            Set<TopicPartition> given = new HashSet<>();
            assignor.assign(cluster, new GroupSubscription(subscriptions)).groupAssignment().forEach((id, a) -> {
                for (TopicPartition tp : a.partitions()) {
                    if (!given.add(tp) || !wants.get(id).contains(tp.topic())) {
                        throw new IllegalStateException("not an assignment");
                    }
                    result.computeIfAbsent(id, k -> new TreeMap<>()).computeIfAbsent(tp.topic(), k -> new TreeSet<>()).add(tp.partition());
                }
            });
            return inOrder(group, result);
        } catch (RuntimeException e) {
            return null;
        }
    }

    static Object server(JsonNode group, ConsumerGroupPartitionAssignor assignor) {
        Map<String, Uuid> ids = new TreeMap<>();
        Map<Uuid, Integer> counts = new HashMap<>();
        Map<Uuid, String> names = new HashMap<>();
        for (JsonNode topic : group.get("topics")) {
            ids.put(topic.get("name").asText(), Uuid.ZERO_UUID);
            counts.put(Uuid.ZERO_UUID, 0);
        }
        int next = 1;
        for (String name : ids.keySet()) {
            ids.put(name, new Uuid(0, next++));
            names.put(ids.get(name), name);
        }
        for (JsonNode topic : group.get("topics")) {
            counts.put(ids.get(topic.get("name").asText()), topic.get("partitions").asInt());
        }
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new TreeMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        Set<Set<String>> subscriptions = new HashSet<>();
        for (JsonNode m : group.get("members")) {
            String id = m.get("id").asText();
            Set<Uuid> wanted = new TreeSet<>();
            topics(m).forEach(t -> { if (ids.containsKey(t)) wanted.add(ids.get(t)); });
            subscriptions.add(new HashSet<>(topics(m)));
            Map<Uuid, Set<Integer>> target = new TreeMap<>();
            for (TopicPartition tp : owned(m)) {
                Uuid topic = ids.get(tp.topic());
                if (topic == null || inverted.computeIfAbsent(topic, k -> new HashMap<>()).put(tp.partition(), id) != null) {
                    return null; // a target assignment does not say that
                }
                target.computeIfAbsent(topic, k -> new TreeSet<>()).add(tp.partition());
            }
            members.put(id, new MemberSubscriptionAndAssignmentImpl(text(m, "rack"), text(m, "instance"), wanted,
                new org.apache.kafka.coordinator.group.modern.Assignment(Collections.unmodifiableMap(target))));
        }
        SubscriptionType type = subscriptions.size() == 1 ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid topic) { return counts.getOrDefault(topic, -1); }
            public Set<String> racksForPartition(Uuid topic, int partition) { return Set.of(); }
        };
        try {
            Map<String, Map<String, Set<Integer>>> result = new HashMap<>();
            assignor.assign(new GroupSpecImpl(members, type, inverted), describer).members().forEach((id, a) ->
                a.partitions().forEach((topic, partitions) -> {
                    if (!partitions.isEmpty()) {
                        result.computeIfAbsent(id, k -> new TreeMap<>()).put(names.get(topic), new TreeSet<>(partitions));
                    }
                }));
            return inOrder(group, result);
        } catch (RuntimeException e) {
            return null;
        }
    }

    static Object inOrder(JsonNode group, Map<String, Map<String, Set<Integer>>> result) {
        List<Object> list = new ArrayList<>();
        group.get("members").forEach(m -> list.add(result.getOrDefault(m.get("id").asText(), Map.of())));
        return list;
    }
}
